"""The ways from the sessions of a desk to their peers, and a composed message on one of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from console.app.composer import Way
from console.app.composer_breaks import Outgoing
from console.app.composer_variables import Surroundings
from console.app.views import Outcome, VenView
from console.openadr.actions import Service
from console.openadr.facts import Registered
from console.session.composed import Composed
from console.store.store import Store

if TYPE_CHECKING:
    from console.app.desk import Node

_random = random.SystemRandom()


def new_id(stem: str) -> str:
    """``request-1f3a90b2``."""
    return f"{stem}-{_random.getrandbits(32):08x}"


def ways_of(nodes: Mapping[str, Node], vens: list[VenView]) -> list[Way]:
    """VENs to their VTN at once; VTNs to each registered VEN, most at its next poll."""
    found: list[Way] = []
    for name, node in nodes.items():
        signs = node.session.can_sign
        if node.kind == "VEN":
            found.append(Way(name, "VEN", "", f"{name} → {node.vtn_id or 'its VTN'}, at once", signs))
            continue
        for ven in vens:
            if ven.session == name and ven.registered:
                label = f"{name} → {ven.ven_id}, {'at its next poll' if ven.poll_period else 'at once'}"
                found.append(Way(name, "VTN", ven.ven_id, label, signs))
    return found


def surroundings_of(
    way: Way | None, nodes: Mapping[str, Node], vens: list[VenView], store: Store, now: datetime
) -> Surroundings:
    """Names of both ends of a way, as far as they are known."""
    node = nodes.get(way.session) if way else None
    if way is None or node is None:
        return Surroundings(now, new_id)
    if way.kind == "VTN":
        ven = next((ven for ven in vens if ven.session == way.session and ven.ven_id == way.to), None)
        names = {"vtnID": node.vtn_id or way.session, "venID": way.to}
        if ven is not None:
            names |= {"registrationID": ven.registration_id, "venName": ven.name}
        return Surroundings(now, new_id, names)
    names = {"venID": node.ven_id, "vtnID": node.vtn_id, "venName": way.session}
    registered = [each.fact for each in store.facts(way.session, (Registered,))]
    if registered and isinstance(registered[-1], Registered):
        names["registrationID"] = registered[-1].registration_id
    return Surroundings(now, new_id, names)


def send_on(nodes: Mapping[str, Node], way: Way, service: Service, outgoing: Outgoing) -> Outcome:
    """Hand a composed message to its session."""
    node = nodes.get(way.session)
    if node is None:
        return Outcome(False, f"There is no running session {way.session}.")
    composed = Composed(
        service=service,
        body=outgoing.text.encode("utf-8", "surrogateescape"),
        to=way.to,
        content_type=outgoing.content_type,
        times=outgoing.times,
        pause=outgoing.pause,
        signed_ago=outgoing.signed_ago,
    )
    trouble = node.session.send_raw(composed)
    if trouble:
        return Outcome(False, " ".join(finding.text for finding in trouble))
    if way.kind == "VTN":
        return Outcome(True, f"It waits for the next poll of {way.to} that nothing else is owed to.")
    times = " twice" if outgoing.times == 2 else ""
    return Outcome(True, f"Sent{times} to {node.vtn_id or 'the VTN'} by {way.session}, and marked in the record.")
