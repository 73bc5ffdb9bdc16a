"""What a scenario claims, as a sentence that can be checked.

===========================================  =====================================================================
``site power < 2.2 kW``                      net power of the house; ``<``, ``<=``, ``>``, ``>=``
``EV power between 4 kW and 7 kW``           power of a device
``Battery soc >= 79 %``                      state of charge
``Washer state contains running``            its state in words
``opt of e-1 is optIn``                      the answer the VTN has
``status of e-1 is active``                  eventStatus at the VTN
``reason of EV contains limit 2 kW``         the line that says why
``report pv-roof:power < -1 kW``             last value the VTN got
``light is red``                             green, yellow, red, failsafe
``presence is offline``                      of the VEN
``no findings``                              no message broke a rule since the start
===========================================  =====================================================================
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from console.app.views import Desk

_NUMBER = r"(-?\d+(?:\.\d+)?)\s*(kWh|MWh|Wh|kW|MW|W|%)?"
_FACTOR = {None: 1.0, "": 1.0, "W": 1.0, "Wh": 1.0, "kW": 1e3, "kWh": 1e3, "MW": 1e6, "MWh": 1e6, "%": 0.01}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
ALLOWED = (
    "Write e.g. 'site power < 2 kW', 'EV power between 4 kW and 7 kW', 'Battery soc >= 79 %', 'opt of e-1 is optIn', "
    "'reason of EV contains limit', 'report site:power < 2 kW', 'light is red', 'presence is ok', 'no findings'."
)


class ClaimError(ValueError):
    """A claim that is not understood; ``allowed`` says how claims are written."""

    allowed = ALLOWED


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is so, and what was seen."""

    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    check: Callable[[Desk], Verdict]
    device: str = ""
    """Device it is about, so that a wrong name is told before anything runs."""


def parse_claim(text: str) -> Claim:
    """The claim a sentence makes.

    Raises
    ------
    ClaimError
        The sentence is none of the known forms.
    """
    words = " ".join(text.split())
    for pattern, make in _FORMS:
        match = re.fullmatch(pattern, words)
        if match:
            device, check = make(match)
            return Claim(words, check, device)
    raise ClaimError(f"'{words}' is not understood.")


Made = tuple[str, Callable[[Desk], Verdict]]


def _quantity(match: re.Match[str], first: int) -> float:
    return float(match[first]) * _FACTOR[match[first + 1]]


def _numeric(read: Callable[[Desk], float | None], test: Callable[[float], bool]) -> Callable[[Desk], Verdict]:
    def check(desk: Desk) -> Verdict:
        value = read(desk)
        return Verdict(value is not None and test(value), "nothing" if value is None else f"{value:.4g}")

    return check


def _test(match: re.Match[str], at: int) -> Callable[[float], bool]:
    """``< 2 kW`` or ``between 1 kW and 2 kW``, whose groups begin at ``at``."""
    if match[at]:
        compare, limit = _COMPARE[match[at]], _quantity(match, at + 1)
        return lambda value: compare(value, limit)
    low, high = _quantity(match, at + 3), _quantity(match, at + 5)
    return lambda value: low <= value <= high


_TEST = rf"(?:(<=|>=|<|>)\s*{_NUMBER}|between {_NUMBER} and {_NUMBER})"


def _site_power(match: re.Match[str]) -> Made:
    def read(desk: Desk) -> float | None:
        site = desk.site()
        return site.net_w if site else None

    return "", _numeric(read, _test(match, 1))


def _device_number(match: re.Match[str]) -> Made:
    name, what = match[1], match[2]

    def read(desk: Desk) -> float | None:
        site = desk.site()
        device = next((device for device in site.devices if device.name == name), None) if site else None
        if device is None:
            return None
        return device.power_w if what == "power" else device.soc

    return name, _numeric(read, _test(match, 3))


def _device_state(match: re.Match[str]) -> Made:
    name, word = match[1], match[2]

    def check(desk: Desk) -> Verdict:
        site = desk.site()
        state = next((device.state for device in site.devices if device.name == name), "") if site else ""
        return Verdict(word.lower() in state.lower(), state)

    return name, check


def _reason(match: re.Match[str]) -> Made:
    name, word = match[1], match[2]

    def check(desk: Desk) -> Verdict:
        site = desk.site()
        lines = [text for device, text in site.reasons if device == name] if site else []
        return Verdict(any(word in line for line in lines), "; ".join(lines) or "no reason")

    return name, check


def _event(match: re.Match[str]) -> Made:
    what, event_id, wanted = match[1], match[2], match[3]

    def check(desk: Desk) -> Verdict:
        event = next((view for view in desk.events() if view.mine and view.event.event_id == event_id), None)
        if event is None:
            return Verdict(False, "no such event")
        seen = {ven.opt_type or "no answer" if what == "opt" else str(ven.status) for ven in event.vens}
        return Verdict(seen == {wanted}, ", ".join(sorted(seen)) or "no VEN")

    return "", check


def _report(match: re.Match[str]) -> Made:
    r_id = match[1]

    def read(desk: Desk) -> float | None:
        key = next((view.series for view in desk.reports() if view.r_id == r_id and view.series), "")
        if not key:
            return None
        values = desk.series(key).values
        return float(values[-1]) if len(values) else None

    return "", _numeric(read, _test(match, 2))


def _light(match: re.Match[str]) -> Made:
    def check(desk: Desk) -> Verdict:
        site = desk.site()
        light = site.light if site else ""
        return Verdict(light == match[1], light)

    return "", check


def _presence(match: re.Match[str]) -> Made:
    def check(desk: Desk) -> Verdict:
        states = {str(ven.state) for ven in desk.vens()}
        return Verdict(states == {match[1]}, ", ".join(sorted(states)))

    return "", check


def _no_findings(match: re.Match[str]) -> Made:
    def check(desk: Desk) -> Verdict:
        findings = desk.findings()
        return Verdict(not findings, findings[0].text if findings else "none")

    return "", check


_FORMS: tuple[tuple[str, Callable[[re.Match[str]], Made]], ...] = (
    (rf"site power {_TEST}", _site_power),
    (r"light is (green|yellow|red|failsafe)", _light),
    (r"presence is (never|ok|late|offline)", _presence),
    (r"no findings", _no_findings),
    (r"(opt|status) of (\S+) is (\S+)", _event),
    (r"reason of (.+?) contains (.+)", _reason),
    (rf"report (\S+) {_TEST}", _report),
    (r"(.+?) state contains (.+)", _device_state),
    (rf"(.+?) (power|soc) {_TEST}", _device_number),
)
