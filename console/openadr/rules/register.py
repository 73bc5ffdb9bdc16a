"""How a conformance rule is written down: by its number, on a message class, as one small function.

``@rule(102, clause="9.2.2", on=OadrDistributeEvent)`` registers a function of the message and a :class:`Found`; calling
that records a finding with the path of the part it is about. The function's docstring is the rule in one sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS
from console.openadr.findings import Finding, Severity
from console.openadr.model import ItemBase, Payload

error = Severity.ERROR
warning = Severity.WARNING
info = Severity.INFO

Check = Callable[[Any, "Found"], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One conformance rule that a single message can break."""

    number: int
    clause: str
    on: tuple[type[Payload], ...]
    """Messages it applies to."""
    text: str
    """The rule in one sentence."""
    check: Check
    profiles: tuple[str, ...] = ("2.0b",)
    """Profiles it binds."""


RULES: list[Rule] = []
"""All rules, in the order of their modules."""

MOST = 200
"""Findings of rules that are listed for one message."""
_GENERAL = 99
"""Rules up to this number bind both profiles, those above it 2.0b alone, unless they say otherwise."""
_BY_CLASS: dict[str, dict[type[Payload], list[tuple[Rule, Check]]]] = {"2.0a": {}, "2.0b": {}}


@dataclass(slots=True)
class Found:
    """Collects the findings of one message; calling it adds one for the rule being checked."""

    message: Payload
    findings: list[Finding]
    from_ven: bool | None = None
    """Whether a VEN sent it; None where that is not known."""
    rule: Rule | None = None
    _places: dict[int, tuple[str, ...]] | None = None
    """Steps to each part of the message, once there is something to say."""

    def __call__(self, severity: Severity, text: str, *, at: object = None, field: str = "") -> None:
        """``at`` is the part of the message (the object itself), ``field`` one of its fields; nothing is the whole."""
        assert self.rule is not None
        if len(self.findings) >= MOST:
            return
        if self._places is None:
            self._places = {}
            for other, way in _parts(self.message):
                self._places.setdefault(id(other), way)
        part = self.message if at is None else at
        steps = _with_field(self._places.get(id(part), ()), part, field)
        path = "/".join(step.partition(":")[2] for step in steps)
        element = steps[-1].partition("[")[0] if steps else ""
        self.findings.append(Finding(str(self.rule.number), severity, text, path, element, self.rule.clause))


def rule(
    number: int, *, clause: str, on: type[Payload] | Iterable[type[Payload]], profiles: tuple[str, ...] = ()
) -> Callable[[Check], Check]:
    """Register a rule's function; ``on`` is the message class or classes it looks at."""
    classes = (on,) if isinstance(on, type) else tuple(on)
    bound = profiles or (("2.0a", "2.0b") if number <= _GENERAL else ("2.0b",))

    def register(check: Check) -> Check:
        text = " ".join((check.__doc__ or "").split())
        added = Rule(number, f"{clause} rule {number}", classes, text, check, bound)
        RULES.append(added)
        for cls in classes:
            for profile in bound:
                _BY_CLASS[profile].setdefault(cls, []).append((added, check))
        return check

    return register


def check(message: Payload, from_ven: bool | None = None, profile: str = "2.0b") -> list[Finding]:
    """Findings of all rules on one message, in the order of the rules' modules.

    ``from_ven`` says who sent it, where that is known: some rules bind one side only. ``profile`` is the one it was
    written in (``Dissection.profile``).
    """
    found = Found(message, [], from_ven)
    for found.rule, check_it in _BY_CLASS[profile].get(type(message), ()):
        check_it(message, found)
    return found.findings


def _with_field(steps: tuple[str, ...], part: object, field: str) -> tuple[str, ...]:
    if not steps or not field:
        return steps
    element = steps[-1].partition("[")[0]
    return (*steps, *_steps_to(content_of(element, cast("type[Any]", type(part))), field))


def _parts(message: Payload) -> Iterator[tuple[object, tuple[str, ...]]]:
    """A message and all objects in it, each with the steps that lead to it."""
    name = FORMS[type(message)].name
    start = ("oadr:oadrPayload", "oadr:oadrSignedObject", name)
    yield message, start
    yield from _below(message, name, start)


def _below(holder: Any, name: str, steps: tuple[str, ...]) -> Iterator[tuple[object, tuple[str, ...]]]:
    """Parts below ``holder``, whose element is ``name``."""
    for particle, before in _leaves(content_of(name, cast("type[Any]", type(holder))), ()):
        held: Any = getattr(holder, particle.leaf.field)
        values: tuple[Any, ...] = held if isinstance(held, tuple) else (held,)  # pyright: ignore[reportUnknownVariableType]
        names = [_name_of(particle, value) for value in values]
        counts, so_far = Counter(names), Counter[str]()
        for value, named in zip(values, names, strict=True):
            so_far[named] += 1
            if isinstance(value, str | bytes | int | float) or value is None:
                continue
            number = f"[{so_far[named]}]" if counts[named] > 1 else ""
            here = (*steps, *before, named + number)
            yield value, here
            if type(value) in FORMS or isinstance(value, ItemBase):
                yield from _below(value, named, here)


def _name_of(particle: Particle, value: object) -> str:
    """Element a value stands in; for a group that of its class."""
    if not particle.name.startswith("@"):
        return particle.name
    if isinstance(value, ItemBase):
        return value.element
    return next((name for name, cls in GROUPS[particle.name[1:]].items() if cls is type(value)), particle.name)


def _leaves(particles: Iterable[Particle], before: tuple[str, ...]) -> Iterator[tuple[Particle, tuple[str, ...]]]:
    """Particles that fill a field, with the wrappers they stand in."""
    for particle in particles:
        if particle.inner and not particle.chain:
            yield from _leaves(particle.inner, (*before, particle.name))
        elif particle.leaf.field:
            yield particle, before


def _steps_to(particles: Iterable[Particle], field: str) -> tuple[str, ...]:
    """Element names from a class's element to where one of its fields stands."""
    for particle, before in _leaves(particles, ()):
        if particle.leaf.field == field:
            chain = [particle]
            while chain[-1].chain:
                chain.append(chain[-1].inner[0])
            return (*before, *(link.name for link in chain))
    return ()
