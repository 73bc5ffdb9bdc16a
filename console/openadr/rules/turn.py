"""How a sequence rule is written down: by its number, on a message class, as one small function of a :class:`Turn`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from console.openadr import model as m
from console.openadr.rules.pair import Heard, Pair
from console.openadr.rules.register import Found, Rule


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, with what was said before it."""

    heard: Heard
    pair: Pair
    """As it was before this message."""
    replied: m.Payload | None
    """The request it travels as the reply to."""
    asked: m.Payload | None
    """The request it answers, also where it travels alone (oadrCreatedReport of a VEN that polls)."""


Check = Callable[[Turn, Found], None]

SEQUENCE_RULES: list[Rule] = []
"""All sequence rules, in the order of their modules."""

_BY_CLASS: dict[type[m.Payload], list[Rule]] = {}


def sequence_rule(
    number: int, *, clause: str, on: type[m.Payload] | Iterable[type[m.Payload]]
) -> Callable[[Check], Check]:
    """Register a rule's function; ``on`` is the message class or classes at which it can be seen broken."""
    classes = (on,) if isinstance(on, type) else tuple(on)

    def register(check: Check) -> Check:
        text = " ".join((check.__doc__ or "").split())
        added = Rule(number, f"{clause} rule {number}", classes, text, check)
        SEQUENCE_RULES.append(added)
        for cls in classes:
            _BY_CLASS.setdefault(cls, []).append(added)
        return check

    return register


def rules_on(cls: type[m.Payload]) -> Sequence[Rule]:
    return _BY_CLASS.get(cls, ())


_VEN_SENDS = frozenset(
    {"oadrPoll", "oadrRequestEvent", "oadrCreatedEvent", "oadrCreateOpt", "oadrCancelOpt"}
    | {"oadrQueryRegistration", "oadrCreatePartyRegistration"}
)
_VTN_SENDS = frozenset(
    {"oadrDistributeEvent", "oadrCreatedOpt", "oadrCanceledOpt", "oadrCreatedPartyRegistration"}
    | {"oadrRequestReregistration"}
)


def own_side_is_ven(sent: Iterable[tuple[str, bool]]) -> bool | None:
    """Which side a node plays, by (element, whether it went out) of its messages; None where they don't tell."""
    ven = vtn = 0
    for element, outgoing in sent:
        ven += element in (_VEN_SENDS if outgoing else _VTN_SENDS)
        vtn += element in (_VTN_SENDS if outgoing else _VEN_SENDS)
    return None if ven == vtn else ven > vtn
