"""What both ends of an S2 session share, without a wire: texts in, texts out, time as an argument.

The ends are `cem_session.CemSession` and `rm_session.RmSession`. `start(now)` and `receive(text, now)` return the JSON
texts to send, in order; a medium carries them (`memory.py` now, a WebSocket later) and does nothing else. What may come
in which state is the table of the standard's "State of S2 session"; each message but ReceptionStatus is answered by one
ReceptionStatus, and nothing ends without a reason: `ended_why` for the session, `Life.why` for an instruction,
`oddities` for what the peer did wrong.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel
from s2python.generated import gen_s2 as g

from emulator.links.s2.codec import NIL_ID, VERSION, IdSource, Rejection, acknowledgement, decode, encode, key, make
from emulator.links.s2.instructions import Lives, Status

Reception = g.ReceptionStatusValues
ControlType = g.ControlType
Message = TypeVar("Message", bound=BaseModel)

UNANSWERED_KEPT = 1000
"""Messages waiting for their ReceptionStatus that are remembered; a silent peer must not fill the memory."""


class State(StrEnum):
    """Where a session stands; "activated" means the control type that was selected."""

    IDLE = "not started"
    CONNECTED = "shaking hands"
    INITIALISED = "initialised"
    ACTIVATED = "control type activated"
    CLOSED = "closed"


FROM_RM: dict[ControlType, frozenset[type[BaseModel]]] = {
    ControlType.POWER_ENVELOPE_BASED_CONTROL: frozenset({g.PEBCEnergyConstraint, g.PEBCPowerConstraints}),
    ControlType.POWER_PROFILE_BASED_CONTROL: frozenset({g.PPBCPowerProfileDefinition, g.PPBCPowerProfileStatus}),
    ControlType.OPERATION_MODE_BASED_CONTROL: frozenset({g.OMBCStatus, g.OMBCSystemDescription, g.OMBCTimerStatus}),
    ControlType.FILL_RATE_BASED_CONTROL: frozenset(
        {
            g.FRBCActuatorStatus,
            g.FRBCFillLevelTargetProfile,
            g.FRBCLeakageBehaviour,
            g.FRBCStorageStatus,
            g.FRBCSystemDescription,
            g.FRBCUsageForecast,
            g.FRBCTimerStatus,
        }
    ),
    ControlType.DEMAND_DRIVEN_BASED_CONTROL: frozenset(
        {g.DDBCActuatorStatus, g.DDBCAverageDemandRateForecast, g.DDBCSystemDescription, g.DDBCTimerStatus}
    ),
    ControlType.NOT_CONTROLABLE: frozenset(),
    ControlType.NO_SELECTION: frozenset(),
}
"""Messages of a resource manager that belong to one control type."""

FROM_CEM: dict[ControlType, frozenset[type[BaseModel]]] = {
    ControlType.POWER_ENVELOPE_BASED_CONTROL: frozenset({g.PEBCInstruction}),
    ControlType.POWER_PROFILE_BASED_CONTROL: frozenset(
        {g.PPBCScheduleInstruction, g.PPBCStartInterruptionInstruction, g.PPBCEndInterruptionInstruction}
    ),
    ControlType.OPERATION_MODE_BASED_CONTROL: frozenset({g.OMBCInstruction}),
    ControlType.FILL_RATE_BASED_CONTROL: frozenset({g.FRBCInstruction}),
    ControlType.DEMAND_DRIVEN_BASED_CONTROL: frozenset({g.DDBCInstruction}),
    ControlType.NOT_CONTROLABLE: frozenset(),
    ControlType.NO_SELECTION: frozenset(),
}
"""Messages of a CEM that belong to one control type."""

RM_ALWAYS = frozenset({g.ResourceManagerDetails, g.PowerMeasurement, g.PowerForecast, g.SessionRequest})
CEM_ALWAYS = frozenset({g.SelectControlType, g.SessionRequest})


class Session:
    """What both ends share: decoding, answering, the state table, the reasons."""

    role: ClassVar[g.EnergyManagementRole]
    handlers: ClassVar[dict[type[BaseModel], str]]
    """Method per message: (message, now) -> what is wrong with it, or None. Answers are queued with `_send`."""

    def __init__(self, ids: IdSource, handshake: bool = True) -> None:
        """``handshake`` False is for newer drafts of S2 Connect, where pairing settles the version."""
        self.state = State.IDLE
        self.control_type: ControlType = ControlType.NO_SELECTION
        self.version = ""
        self.ended_why = ""
        self.oddities: deque[str] = deque(maxlen=200)
        """What the peer did that the standard doesn't foresee, newest last."""
        self.lives = Lives()
        self._ids = ids
        self._handshake = handshake
        self._unanswered: dict[str, str] = {}
        self._outgoing: list[str] = []

    def start(self, now: datetime) -> list[str]:
        """The medium is up: the Handshake, or without one what follows it."""
        if not self._handshake:
            self.state, self.version = State.INITIALISED, VERSION
            self._initialised(now)
            return self._flush()
        self.state = State.CONNECTED
        self._send(g.Handshake, role=self.role.value, supported_protocol_versions=[VERSION])
        return self._flush()

    def receive(self, text: str | bytes, now: datetime) -> list[str]:
        """Take one text of the peer; returns the answers."""
        if self.state in (State.IDLE, State.CLOSED):
            self.oddities.append(f"a message came while the session was {self.state}")
            return []
        message = decode(text)
        if isinstance(message, Rejection):
            self.oddities.append(f"{message.status.value}: {message.text}")
            if message.answerable:
                self._answer(message.subject_message_id, message.status, message.text)
        elif isinstance(message, g.ReceptionStatus):
            self._on_reception(message, now)
        else:
            self._take(message, now)
        return self._flush()

    def _initialised(self, now: datetime) -> None:
        """What this end says of itself once the version is settled."""

    def end(self, why: str, now: datetime, request: str = "TERMINATE") -> list[str]:
        """Close from this side, telling the peer why."""
        if self.state in (State.IDLE, State.CLOSED):
            return []
        self._send(g.SessionRequest, request=request, diagnostic_label=why)
        self._close(why, now)
        return self._flush()

    def lost(self, why: str, now: datetime) -> None:
        """The medium is gone; nothing can be sent any more."""
        if self.state is not State.CLOSED:
            self._close(why, now)

    def unanswered(self) -> list[str]:
        """Types of our messages that have no ReceptionStatus yet."""
        return list(self._unanswered.values())

    def oldest_unanswered(self) -> tuple[str, str] | None:
        """Id and type of our oldest message that has no ReceptionStatus yet."""
        return next(iter(self._unanswered.items()), None)

    def _expected(self) -> frozenset[type[BaseModel]]:
        raise NotImplementedError

    def _take(self, message: Any, now: datetime) -> None:
        subject = key(message.message_id)
        if type(message) not in self._expected():
            problem = f"{message.message_type} does not belong here: the session is {self._where()}"
        else:
            # The answer goes out before what the message brings about, so the handler's messages are put behind it.
            before, self._outgoing = self._outgoing, []
            problem = getattr(self, self.handlers[type(message)])(message, now)
            before, self._outgoing = self._outgoing, before
            if problem is None:
                self._answer(subject, Reception.OK)
            self._outgoing.extend(before)
        if problem is not None:
            self.oddities.append(problem)
            self._answer(subject, Reception.INVALID_CONTENT, problem)

    def _where(self) -> str:
        return self.control_type.value if self.state is State.ACTIVATED else self.state.value

    def _on_reception(self, message: g.ReceptionStatus, now: datetime) -> None:
        subject = key(message.subject_message_id)
        name = self._unanswered.pop(subject, "")
        if not name and subject != NIL_ID:
            self.oddities.append(f"ReceptionStatus for {subject}, which was never sent or was answered before")
        if message.status is Reception.OK:
            return
        told = f"{message.status.value}: {message.diagnostic_label or 'no reason given'}"
        self.oddities.append(f"the peer answered {name or subject} with {told}")
        for life in self.lives.going():
            if key(life.instruction.message_id) == subject:
                life.goes(Status.REJECTED, now, told)
        if message.status is Reception.PERMANENT_ERROR:
            self._close(f"the peer answered {name or subject} with {told}", now)

    def _on_session_request(self, message: g.SessionRequest, now: datetime) -> None:
        said = f": {message.diagnostic_label}" if message.diagnostic_label else ", without a reason"
        self._close(f"the peer asked to {message.request.value.lower()}{said}", now)

    def _close(self, why: str, now: datetime) -> None:
        self.state, self.ended_why = State.CLOSED, why
        for life in self.lives.going():
            life.goes(Status.ABORTED, now, f"session closed: {why}")

    def _answer(self, subject: str, status: Reception, label: str | None = None) -> None:
        if status is Reception.OK:
            self._outgoing.append(acknowledgement(subject))
            return
        fields = {"subject_message_id": subject, "status": status}
        self._outgoing.append(encode(make(g.ReceptionStatus, **fields, diagnostic_label=label)))

    def _send(self, cls: type[Message], /, **fields: object) -> Message:
        message = make(cls, message_id=self._ids(), **fields)
        self._post(message)
        return message

    def _post(self, message: Any) -> None:
        if len(self._unanswered) >= UNANSWERED_KEPT:
            del self._unanswered[next(iter(self._unanswered))]
        self._unanswered[key(message.message_id)] = message.message_type
        self._outgoing.append(encode(message))

    def _flush(self) -> list[str]:
        texts, self._outgoing = self._outgoing, []
        return texts
