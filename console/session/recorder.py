"""One session's pen in the store: raw rows first, then what the standard reads out of them.

Every row is written before its bytes are looked at. What the codec, the rules and the transport found goes with the
row and, as :class:`FindingMade`, to who listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta, tzinfo
from typing import TypeVar

from console.openadr import codec, explain, rules
from console.openadr.actions import Peer
from console.openadr.codec import Dissection
from console.openadr.facts import Fact, FindingMade
from console.openadr.findings import Finding, Severity
from console.openadr.model import ItemBase, OadrRegisterReport, Payload
from console.session.clock import Clock
from console.store.messages import COMPOSED
from console.store.store import Store
from console.transport.exchange import Answer, Headers, Request, Response, Undelivered

NOT_OPENADR = "(not OpenADR)"

_Result = TypeVar("_Result")

_LARGE = 8 * 2**10
"""Bytes from which a body is read in the pool: lxml lets the loop go on meanwhile."""


class Recorder:
    """Appends and derives the messages of one session.

    Parameters
    ----------
    name_of : callable
        Gives the peer's venID or vtnID from a message, or the fallback handed with it.
    tell : callable
        Called with each finding made on a message.
    peers_are_vens : bool
        Some rules bind one side only.
    timezone : tzinfo
        For instants in summaries.
    """

    def __init__(
        self,
        session: str,
        store: Store,
        clock: Clock,
        name_of: Callable[[Payload | None, str], str],
        tell: Callable[[Fact], None],
        peers_are_vens: bool,
        timezone: tzinfo = UTC,
        transport: str = "http",
    ) -> None:
        self._session = session
        self._units: dict[str, ItemBase] = {}
        self._store = store
        self._clock = clock
        self._name_of = name_of
        self._tell = tell
        self._peers_are_vens = peers_are_vens
        self._timezone = timezone
        self._transport = transport
        self._pool: ThreadPoolExecutor | None = None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    # Rows ----------------------------------------------------------------------------------------------------------

    def request_came(self, request: Request) -> int:
        return self._append(False, request.peer, request.start_line, request.headers, request.body, size=request.size)

    def response_goes(self, response: Response, message: Payload | None, peer: Peer, number: int, took: float) -> int:
        """Record our response to message ``number``, ``took`` real seconds after that came."""
        answer = self._append(
            True,
            peer,
            response.start_line,
            response.headers,
            response.body,
            reply_to=number,
            status=response.status,
            latency=timedelta(seconds=took),
        )
        name = self._derive_own(answer, message, self._store.peer(number))
        if name != peer.address and self._store.peer(number) == peer.address:
            self._store.derive(number, peer=name)
        return answer

    def request_goes(
        self, start_line: str, headers: Headers, message: Payload, body: bytes, peer: Peer, to: str = ""
    ) -> int:
        """Record a request of ours; ``to`` is the peer's name where it is known before it answers."""
        number = self._append(True, peer, start_line, headers, body)
        self._derive_own(number, message, to or peer.address)
        return number

    async def composed_goes(self, start_line: str, headers: Headers, body: bytes, peer: Peer, to: str = "") -> int:
        """Record a request that an operator wrote, marked as such, with what is odd about it."""
        number = self._append(True, peer, start_line, headers, body, flags=COMPOSED)
        self._store.derive(number, peer=to or peer.address)
        await self._derive_composed(number, body)
        return number

    async def composed_response_goes(self, response: Response, peer: Peer, number: int, took: float) -> int:
        """Record the answer to message ``number`` that an operator wrote."""
        answer = self._append(
            True,
            peer,
            response.start_line,
            response.headers,
            response.body,
            reply_to=number,
            status=response.status,
            latency=timedelta(seconds=took),
            flags=COMPOSED,
        )
        self._store.derive(answer, peer=self._store.peer(number))
        await self._derive_composed(answer, response.body)
        return answer

    async def _derive_composed(self, number: int, body: bytes) -> None:
        """What was broken on purpose stands with its message, and is nothing to be told of."""
        dissection = await self.dissect(body)
        message = dissection.message
        broken = self._broken_rules(message, not self._peers_are_vens, dissection.profile)
        findings = (*dissection.findings, *broken)
        self._store.derive(
            number,
            element=dissection.element or NOT_OPENADR,
            summary=self._summary(message) if message is not None else _first_text(findings),
            findings=findings,
        )

    def answer_came(self, answer: Answer, peer: Peer, number: int, name: str = "") -> int:
        came = self._append(
            False,
            peer,
            answer.start_line,
            answer.headers,
            answer.body,
            size=answer.size,
            reply_to=number,
            status=answer.status,
            latency=timedelta(seconds=answer.latency),
        )
        if name:
            self._store.derive(came, peer=name)
        return came

    def no_answer_came(self, lost: Undelivered, peer: Peer, number: int, tell: bool) -> None:
        """Note on message ``number`` that it went unanswered, and record what came instead of an answer."""
        finding = Finding("wire", Severity.ERROR, lost.text)
        about = number
        if lost.received:
            latency = timedelta(seconds=lost.latency)
            about = self._append(False, peer, "", (), lost.received, reply_to=number, latency=latency)
            self._store.derive(about, element=NOT_OPENADR, summary=f"{len(lost.received)} bytes that are not HTTP")
        self.add_findings(about, (finding,), tell=tell)

    def _append(
        self,
        outgoing: bool,
        peer: Peer,
        start_line: str,
        headers: Headers,
        body: bytes,
        *,
        size: int | None = None,
        reply_to: int = 0,
        status: int = 0,
        latency: timedelta | None = None,
        flags: int = 0,
    ) -> int:
        return self._store.append(
            time=self._clock.now(),
            session=self._session,
            outgoing=outgoing,
            peer=peer.address,
            transport=self._transport,
            start_line=start_line,
            headers=headers,
            body=body,
            size=size,
            reply_to=reply_to,
            status=status,
            latency=latency,
            flags=flags,
        )

    # What is read out of them --------------------------------------------------------------------------------------

    async def dissect(self, body: bytes) -> Dissection:
        """Read a body."""
        return await self.off_loop(body, codec.dissect)

    async def off_loop(self, body: bytes, work: Callable[[bytes], _Result]) -> _Result:
        """Do something with a body; with a large one in a thread, since lxml lets the loop go on meanwhile."""
        if len(body) < _LARGE:
            return work(body)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(2, thread_name_prefix=f"dissect {self._session}")
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, body)

    def derive(self, number: int, dissection: Dissection, before: Iterable[Finding] = ()) -> tuple[Finding, ...]:
        """Put what was read on row ``number``; all findings, those of the transport (``before``) first."""
        message = dissection.message
        broken = self._broken_rules(message, self._peers_are_vens, dissection.profile)
        findings = (*before, *dissection.findings, *broken)
        self._store.derive(
            number,
            element=dissection.element or NOT_OPENADR,
            summary=self._summary(message) if message is not None else _first_text(findings),
            peer=self._name_of(message, self._store.peer(number)),
            findings=findings,
        )
        self._name_request_of(number)
        self._tell_findings(number, dissection.element or NOT_OPENADR, findings)
        return findings

    def _name_request_of(self, answer: int) -> None:
        """An answer may be the first to name the peer, as the one to a registration is: its request is named too."""
        request = self._store.log.columns.get(answer - 1, "reply_to")
        if request and self._store.peer(request) == self._store.head(request).address:
            self._store.derive(request, peer=self._store.peer(answer))

    def derive_unread(self, number: int, findings: tuple[Finding, ...], summary: str = "") -> None:
        """For a row whose body is not to be read as a message."""
        self._store.derive(number, element=NOT_OPENADR, summary=summary or _first_text(findings), findings=findings)
        self._tell_findings(number, NOT_OPENADR, findings)

    def add_findings(self, number: int, findings: tuple[Finding, ...], *, tell: bool = True) -> None:
        """Findings that only the sequence of messages shows; number 0 is no message."""
        element = ""
        if number:
            self._store.derive(number, findings=(*self._store.findings(number), *findings))
            element = self._store.log.view(number - 1).element
        if tell:
            self._tell_findings(number, element, findings)

    def _summary(self, message: Payload) -> str:
        """One line; report data name no unit, so those of the METADATA that passed before are remembered."""
        if isinstance(message, OadrRegisterReport):
            for report in message.reports:
                described = ((each.r_id, each.item_base) for each in report.report_descriptions)
                self._units.update((r_id, unit) for r_id, unit in described if isinstance(unit, ItemBase))
        return explain.summary(message, self._timezone, self._units)

    def _broken_rules(self, message: Payload | None, from_ven: bool, profile: str = codec.B) -> tuple[Finding, ...]:
        return () if message is None else tuple(rules.check(message, from_ven, profile))

    def _derive_own(self, number: int, message: Payload | None, peer: str) -> str:
        """Put on a row of ours what it says; the name of the peer it is for."""
        if message is None:
            status = self._store.log.view(number - 1).status
            self._store.derive(number, element="", summary="" if status == 200 else _refused(status), peer=peer)
            return peer
        findings = self._broken_rules(message, not self._peers_are_vens)
        element, name = element_of(message), self._name_of(message, peer)
        self._store.derive(number, element=element, summary=self._summary(message), peer=name, findings=findings)
        self._tell_findings(number, element, findings)
        return name

    def _tell_findings(self, number: int, element: str, findings: Iterable[Finding]) -> None:
        for finding in findings:
            about = finding.element or element
            self._tell(FindingMade(number, finding.rule, finding.severity.word, about, finding.text))


def element_of(message: Payload) -> str:
    """Local name of the element a payload is: ``oadrPoll``."""
    name = type(message).__name__
    return name[:1].lower() + name[1:]


def _first_text(findings: tuple[Finding, ...]) -> str:
    return max(findings, key=lambda finding: finding.severity).text if findings else ""


def _refused(status: int) -> str:
    return f"refused with {status}"
