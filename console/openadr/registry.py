"""Who is registered at a VTN, who may be, and who a message comes from (rules 70, 400, 402, 406, 512, 517).

venIDs are compared to the letter, fingerprints without regard to case. Where a fingerprint is known for a VEN, a peer
without that certificate is not that VEN, whatever it says.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from console.openadr.actions import Ids, Peer
from console.openadr.commands import KnownVen, VtnSettings
from console.openadr.keeping import Kept, instant, kept_list, read_instant, text
from console.openadr.model import OadrCreatePartyRegistration, Payload
from console.openadr.states import Registered


@dataclass(slots=True)
class Party:
    """One VEN as registered."""

    ven_id: str
    ven_name: str
    registration_id: str
    registered_at: datetime
    state: Registered = Registered.REGISTERED
    fingerprint: str = ""
    profile: str = "2.0b"
    transport: str = "simpleHttp"
    address: str = ""
    report_only: bool = False
    push_url: str = ""
    """Where it is pushed to, up to and including ``…/OpenADR2/Simple/2.0b``; empty for a VEN that polls."""
    owed: deque[Payload] = field(default_factory=deque[Payload])
    """What its next polls are answered with, oldest first (rule 500); the event list is owed apart."""
    reminders: int = 0
    """How often it was handed the cancellation of its registration."""
    cancels: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """requestID of an oadrCancelReport -> the report requests it ends."""


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    text: str
    rule: int


class Registry:
    """All parties of one VTN, by venID."""

    def __init__(self, settings: VtnSettings, ids: Ids) -> None:
        self.settings = settings
        self.ids = ids
        self.parties: dict[str, Party] = {}

    def enrol_known(self, now: datetime) -> list[Party]:
        """Known VENs with a registrationID count as registered without saying a word."""
        enrolled: list[Party] = []
        for known in self.settings.known:
            if known.registration_id and known.ven_id and known.ven_id not in self.parties:
                party = Party(
                    known.ven_id, known.name, known.registration_id, now, fingerprint=known.fingerprint.upper()
                )
                self.parties[known.ven_id] = party
                enrolled.append(party)
        return enrolled

    def by_fingerprint(self, fingerprint: str) -> Party | None:
        wanted = fingerprint.upper()
        return next((party for party in self.parties.values() if wanted and party.fingerprint == wanted), None)

    def identify(self, ven_id: str, peer: Peer) -> Party | Refusal:
        """The registered VEN a message comes from, or why it is not served."""
        party = self.parties.get(ven_id)
        if party is None and (holder := self.by_fingerprint(peer.fingerprint)) is not None:
            wrong = f"venID {ven_id or 'missing'} is not that of the certificate, {holder.ven_id}"
            return Refusal("452", wrong, 517)
        if party is None:
            said = f"{ven_id} is not registered here" if ven_id else "the message has no venID"
            return Refusal("463", said, 517)
        return self._strange(party.fingerprint, peer) or party

    def renewal(self, message: OadrCreatePartyRegistration, peer: Peer) -> Party | Refusal:
        """The registration a message with a registrationID wants to renew (rule 400)."""
        party = self.parties.get(message.ven_id or "")
        if message.ven_id is None:
            wanted = message.registration_id
            party = next((one for one in self.parties.values() if one.registration_id == wanted), None)
        if party is None or party.registration_id != message.registration_id:
            wrong = f"registrationID {message.registration_id} of {message.ven_id or 'no venID'} is not known here"
            return Refusal("452", wrong, 400)
        return self._strange(party.fingerprint, peer) or party

    def candidate(self, message: OadrCreatePartyRegistration, peer: Peer) -> tuple[str, str] | Refusal:
        """(venID, fingerprint) for a new registration, or why there will be none (rules 402, 406)."""
        name, claimed = message.ven_name or "", message.ven_id or ""
        known = self._known(name, claimed)
        if known is None and not self.settings.accept_unknown:
            return Refusal("463", f"{name or claimed or 'a VEN without a name'} is not among the known VENs", 517)
        if known is not None and known.ven_id and claimed and claimed != known.ven_id:
            return Refusal("452", f"{name} is known as {known.ven_id}, not as {claimed}", 402)
        former = self.parties.get(claimed) if claimed else self._named(name)
        fingerprint = (known.fingerprint if known else "") or (former.fingerprint if former else "")
        strange = self._strange(fingerprint, peer)
        if strange is not None:
            return strange
        ven_id = claimed or (known.ven_id if known else "") or (former.ven_id if former else "")
        return ven_id or self._unused(), (fingerprint or peer.fingerprint).upper()

    def _known(self, name: str, ven_id: str) -> KnownVen | None:
        return next(
            (
                known
                for known in self.settings.known
                if (ven_id and known.ven_id == ven_id) or (name and known.name == name)
            ),
            None,
        )

    def _named(self, name: str) -> Party | None:
        return next((party for party in self.parties.values() if name and party.ven_name == name), None)

    def _unused(self) -> str:
        """A venID nobody has or was promised (rule 70)."""
        taken = self.parties.keys() | {known.ven_id for known in self.settings.known}
        while (ven_id := self.ids.new("ven")) in taken:
            pass
        return ven_id

    def _strange(self, fingerprint: str, peer: Peer) -> Refusal | None:
        if not fingerprint or fingerprint.upper() == peer.fingerprint.upper():
            return None
        shown = f"certificate {peer.fingerprint}" if peer.fingerprint else "no certificate"
        why = ""
        if fingerprint.upper() in peer.issuers:
            why = ", which is the fingerprint of the authority (CA) above it and not of the VEN's own certificate"
        return Refusal("463", f"the peer shows {shown}, {fingerprint.upper()} is expected{why}", 517)

    def state(self) -> list[Kept]:
        return [keep_party(party) for party in self.parties.values()]

    def restore(self, value: object) -> None:
        for item in kept_list(value):
            party = Party(
                text(item, "ven_id"),
                text(item, "ven_name"),
                text(item, "registration_id"),
                read_instant(item.get("registered_at")),
                Registered(text(item, "state", Registered.REGISTERED.value)),
                text(item, "fingerprint"),
                text(item, "profile", "2.0b"),
                text(item, "transport", "simpleHttp"),
                text(item, "address"),
                bool(item.get("report_only")),
                text(item, "push_url"),
            )
            self.parties[party.ven_id] = party


def keep_party(party: Party) -> Kept:
    """One VEN as kept; what it is owed is made anew after a restart."""
    return {
        "ven_id": party.ven_id,
        "ven_name": party.ven_name,
        "registration_id": party.registration_id,
        "registered_at": instant(party.registered_at),
        "state": party.state.value,
        "fingerprint": party.fingerprint,
        "profile": party.profile,
        "transport": party.transport,
        "address": party.address,
        "report_only": party.report_only,
        "push_url": party.push_url,
    }
