"""One OCPP 1.6J connection, either end: a logic without a wire, PyPI's `ocpp` for framing and schemas, a WebSocket.

The logic queues calls as `Outgoing` and takes answers; time is its owner's. The conversation sends one call at a time,
as OCPP-J asks, hands every answer back, and ends the connection where a call stays unanswered. What cannot be parsed is
noted in `oddities` and changes nothing; what breaks a schema is answered with a CALLERROR by the library.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint as Endpoint
from websockets.exceptions import ConnectionClosed

from emulator.clock import pause
from emulator.links.pace import Pace
from emulator.links.s2.foreign_device import printable

SUBPROTOCOL = "ocpp1.6"
RATE = 200.0
"""Messages a second that are read of one peer."""
ANSWER_S = 30.0
LARGEST = 1 << 18
"""Bytes of one message."""
CALL, RESULT, ERROR = 2, 3, 4

log = logging.getLogger("nodebench.ocpp")
log.addHandler(logging.NullHandler())
log.propagate = False


@dataclass(slots=True)
class Outgoing:
    """A call to come: made when it is sent, since it may need what an earlier one brings; None sends nothing."""

    make: Callable[[], Any]
    lasting: bool = False
    """Kept while there is no connection: OCPP wants messages about transactions delivered late rather than never."""


class Logic(Protocol):
    """What stands behind a conversation."""

    outgoing: deque[Outgoing]
    on_queued: Callable[[], None]
    """Called when something was put into ``outgoing``."""

    def answered(self, payload: Any, result: Any) -> None:
        """The peer's result for a call of ours."""
        ...

    def refused(self, payload: Any, why: str) -> None:
        """The peer answered a call of ours with an error."""
        ...


class Conversation(Endpoint):
    """Base of both ends; subclasses route the peer's calls to their logic with the library's ``@on``."""

    def __init__(self, identity: str, socket: Any, logic: Logic, answer_s: float = ANSWER_S) -> None:
        super().__init__(identity, socket, response_timeout=round(answer_s), logger=log)
        self._response_timeout = answer_s  # the library's hint says whole seconds, its code takes any
        self.logic = logic
        self.oddities: deque[str] = deque(maxlen=200)
        """What the peer sent that is no OCPP, newest last."""
        self.ended_why = ""
        self._socket = socket
        self._wake = asyncio.Event()
        self._hanging_up = asyncio.Event()
        self._asked = ""
        """Id of our last call."""

    async def converse(self) -> None:
        """Carry messages until the connection ends; ``ended_why`` says why."""
        self.logic.on_queued = self._wake.set
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(self._send_calls(), name=f"OCPP sender of {self.id}"),
                    tasks.create_task(self._hang_up(), name=f"OCPP closer of {self.id}"),
                ]
                await self._read()
                for task in beside:
                    task.cancel()
        finally:
            self.logic.on_queued = _nobody

    def hang_up(self, why: str) -> None:
        """Close the connection from this side, soon."""
        self.ended_why = self.ended_why or why
        self._hanging_up.set()

    async def _hang_up(self) -> None:
        await self._hanging_up.wait()
        await self._socket.close(1000, self.ended_why.encode()[:100].decode("utf-8", "ignore"))

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(RATE, round(RATE), loop.time())
        try:
            async for raw in self._socket:
                await self._take(raw)
                wait_s = pace.wait_s(loop.time())
                if wait_s > 0.0:
                    await pause(wait_s)
        except ConnectionClosed as error:
            self.ended_why = self.ended_why or printable(str(error), 120)
        self.ended_why = self.ended_why or "the peer closed the connection"

    async def _take(self, raw: str | bytes) -> None:
        problem = self._problem(raw)
        if problem:
            self.oddities.append(problem)
            return
        await self.route_message(raw)

    def _problem(self, raw: str | bytes) -> str:
        """Why a text is not OCPP-J; the library is given the others."""
        try:
            tree = json.loads(raw)
        except (ValueError, RecursionError) as error:
            return f"not JSON: {printable(str(error))}"
        if not isinstance(tree, list) or len(tree) < 3 or tree[0] not in (CALL, RESULT, ERROR):
            return f"not an OCPP message: {printable(str(tree))}"
        if not isinstance(tree[1], str) or not tree[1]:
            return "a message without an id"
        if tree[0] == CALL:
            fits = len(tree) == 4 and isinstance(tree[2], str) and isinstance(tree[3], dict)
            return "" if fits else "a CALL that is not [2, id, action, payload]"
        if tree[1] != self._asked:
            return f"an answer to {printable(tree[1])}, which was never sent"
        fits = len(tree) == 3 and isinstance(tree[2], dict) if tree[0] == RESULT else len(tree) == 5
        return "" if fits else "an answer of the wrong shape"

    async def _send_calls(self) -> None:
        while True:
            while self.logic.outgoing:
                payload = self.logic.outgoing[0].make()
                if payload is not None and not await self._called(payload):
                    return
                if self.logic.outgoing:
                    self.logic.outgoing.popleft()
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # the library waits by asyncio.wait_for, which before Python 3.12 may swallow a cancellation
                    raise asyncio.CancelledError
            self._wake.clear()
            await self._wake.wait()

    async def _called(self, payload: Any) -> bool:
        """Send a call and hand on its answer; False where the connection is no good any more."""
        try:
            self._asked = str(self._unique_id_generator())
            result = await self.call(payload, suppress=False, unique_id=self._asked)
        except OCPPError as error:
            self.logic.refused(payload, printable(f"{type(error).__name__}: {error}", 120))
            return True
        except (TypeError, ValueError) as error:
            # members the library's classes do not know
            self.logic.refused(payload, printable(str(error), 120))
            return True
        except TimeoutError:
            self.hang_up(f"no answer to {type(payload).__name__} within {self._response_timeout:g} s")
            return False
        except ConnectionClosed:
            return False
        self.logic.answered(payload, result)
        return True


def _nobody() -> None:
    """Nobody waits for calls while there is no connection."""
