"""Messages that an operator wrote by hand, sent through a session's transports and marked as such in the record.

The role neither sent them nor hears of their answers: what is proved with them is the peer, and nothing of ours may
change by it. Whatever the bytes are, they leave as they are, unless they are to be signed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from console.openadr.actions import Service
from console.openadr.findings import Finding, Severity
from console.security.signing import Signer, SigningError
from console.security.verification import SignatureVerdict
from console.session.clock import Clock
from console.session.recorder import Recorder
from console.transport.exchange import Answer, Client, OddClient, Response, Undelivered, status_line

XML = "application/xml"


@dataclass(frozen=True, slots=True)
class Composed:
    """One message to be sent as it is."""

    service: Service
    body: bytes
    to: str = ""
    """venID a VTN pushes to; empty for a VEN's one VTN."""
    content_type: str = XML
    times: int = 1
    """How often it is sent, each after the answer to the one before."""
    pause: float = 0.0
    """Real seconds between the pieces it is cut into; 0 sends it whole."""
    signed_ago: timedelta | None = None
    """Sign it as of so long ago; None leaves it as it is."""


class ComposedResponse(Response):
    """The answer to a poll that an operator wrote."""

    __slots__ = ()


class Composing:
    """What one session does with messages written by hand."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        recorder: Recorder,
        clock: Clock,
        verdict: Callable[[bytes], Awaitable[SignatureVerdict]],
        signer: Signer | None,
    ) -> None:
        self._clients = clients
        self._recorder = recorder
        self._clock = clock
        self._verdict = verdict
        self._signer = signer
        self._for_polls: dict[str, deque[Composed]] = {}

    @property
    def can_sign(self) -> bool:
        return self._signer is not None

    def reaches(self, to: str) -> bool:
        """Whether there is a way to this peer that needs no poll."""
        return to in self._clients

    def check(self, composed: Composed) -> list[Finding]:
        """Why it cannot be sent; empty where it can."""
        client = self._clients.get(composed.to)
        if client is None:
            return [_cannot(f"There is no way to {composed.to or 'the VTN'}: this session is not connected to it.")]
        if (composed.content_type != XML or composed.pause) and not isinstance(client, OddClient):
            return [_cannot("This transport sends whole messages as application/xml only. Use a VEN's own way.")]
        return self._signature_trouble(composed)

    def _signature_trouble(self, composed: Composed) -> list[Finding]:
        try:
            self.bytes_of(composed)
        except SigningError as error:
            return [_cannot(f"It cannot be signed: {error}. Send it unsigned.")]
        return []

    def bytes_of(self, composed: Composed) -> bytes:
        """What leaves. Raises SigningError where it is to be signed and cannot be."""
        if composed.signed_ago is None:
            return composed.body
        if self._signer is None:
            raise SigningError("this session has no key to sign with")
        return self._signer.sign(composed.body, self._clock.now() - composed.signed_ago)

    async def send(self, composed: Composed) -> list[int]:
        """Send it as often as it says; the numbers of the requests."""
        return [await self._send_once(composed) for _ in range(composed.times)]

    async def _send_once(self, composed: Composed) -> int:
        client = self._clients[composed.to]
        body = self.bytes_of(composed)
        start_line, headers = client.headers_of(composed.service, body)
        if composed.content_type != XML:
            headers = tuple(
                (name, composed.content_type if name.lower() == "content-type" else value) for name, value in headers
            )
        number = await self._recorder.composed_goes(start_line, headers, body, client.peer, composed.to)
        if isinstance(client, OddClient) and (composed.content_type != XML or composed.pause):
            answer = await client.post_as(composed.service, body, composed.content_type, composed.pause)
        else:
            answer = await client.post(composed.service, body)
        if isinstance(answer, Undelivered):
            self._recorder.no_answer_came(answer, client.peer, number, tell=False)
            return number
        came = self._recorder.answer_came(answer, client.peer, number, composed.to)
        await self._read(answer, came)
        return number

    async def _read(self, answer: Answer, number: int) -> None:
        if not answer.body or (answer.status != 200 and b"oadr" not in answer.body):
            said = answer.body[:200].decode("utf-8", "replace").strip()
            summary = status_line(answer.status) + (f": {said}" if said else "")
            self._recorder.derive_unread(number, answer.findings, summary)
            return
        dissection = await self._recorder.dissect(answer.body)
        verdict = await self._verdict(answer.body)
        self._recorder.derive(number, dissection, (*answer.findings, *verdict.findings))

    # Peers that poll -----------------------------------------------------------------------------------------------

    def keep_for_poll(self, composed: Composed) -> list[Finding]:
        """Give it as the answer to the next poll of ``composed.to`` that nothing of the role's is owed to."""
        trouble = self._signature_trouble(composed)
        if not trouble:
            waiting = self._for_polls.setdefault(composed.to, deque())
            waiting.extend([composed] * composed.times)
        return trouble

    def waiting_for(self, ven_id: str) -> int:
        return len(self._for_polls.get(ven_id, ()))

    def answer_poll_of(self, ven_id: str) -> ComposedResponse | None:
        """What waits for this VEN, taken out; None where nothing does."""
        waiting = self._for_polls.get(ven_id)
        if not waiting:
            return None
        composed = waiting.popleft()
        return ComposedResponse(200, self.bytes_of(composed), composed.content_type)


def _cannot(text: str) -> Finding:
    return Finding("compose", Severity.ERROR, text)
