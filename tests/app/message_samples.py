"""Small messages, and a store that is filled by exchanges: for tests of what is told about messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.app.conversations import Reading
from console.store.store import Store

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HEAD = b'<oadr:oadrPayload xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07" \
xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110" \
xmlns:pyld="http://docs.oasis-open.org/ns/energyinterop/201110/payloads"><oadr:oadrSignedObject>'
TAIL = b"</oadr:oadrSignedObject></oadr:oadrPayload>"


def distribute(
    event: str, modification: int, level: float = 1.0, request: str = "req-1", extra: str = "", answer: str = "always"
) -> bytes:
    inner = f"""<oadr:oadrDistributeEvent ei:schemaVersion="2.0b"><pyld:requestID>{request}</pyld:requestID>
    <oadr:oadrEvent><ei:eiEvent><ei:eventDescriptor><ei:eventID>{event}</ei:eventID>
    <ei:modificationNumber>{modification}</ei:modificationNumber></ei:eventDescriptor>
    <ei:eiEventSignals><ei:eiEventSignal><ei:signalID>s-1</ei:signalID><ei:currentValue>{level}</ei:currentValue>
    </ei:eiEventSignal>{extra}</ei:eiEventSignals></ei:eiEvent>
    <oadr:oadrResponseRequired>{answer}</oadr:oadrResponseRequired></oadr:oadrEvent></oadr:oadrDistributeEvent>"""
    return HEAD + inner.encode() + TAIL


def created(event: str, request: str) -> bytes:
    inner = f"<oadr:oadrCreatedEvent><pyld:requestID>{request}</pyld:requestID><ei:eventID>{event}</ei:eventID>"
    return HEAD + inner.encode() + b"</oadr:oadrCreatedEvent>" + TAIL


class Wire:
    """A store that is filled by exchanges, a second apart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.time = NOON

    def exchange(
        self, request: str, answer: str, body: bytes = b"<a/>", back: bytes = b"<b/>", peer: str = "ven-7"
    ) -> tuple[int, int]:
        numbers: list[int] = []
        for element, content, reply_to in ((request, body, 0), (answer, back, -1)):
            number = self.store.append(
                time=self.time, session="vtn-lab", outgoing=bool(reply_to), peer=peer, transport="http",
                start_line="POST /x", headers=(("Host", "h"),), body=content,
                reply_to=numbers[0] if reply_to else 0, status=200,
            )  # fmt: skip
            self.store.derive(number, element=element)
            numbers.append(number)
            self.time += timedelta(milliseconds=4)
        self.time += timedelta(seconds=1)
        return numbers[0], numbers[1]

    @property
    def reading(self) -> Reading:
        return Reading(self.store.log.__len__, self.store.log.view, self.store.body)
