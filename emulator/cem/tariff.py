"""Whether electricity is dear or cheap now.

Compared with what is known of the next day: the median over 24 h, with the usual price where no signal speaks. More
than a fifth above is dear, more than a fifth below is cheap, under zero is negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from emulator.cem.limits import active
from emulator.cem.ports import GridSignal, PriceSignal

DAY = timedelta(hours=24)
QUARTER = timedelta(minutes=15)


class Worth(StrEnum):
    """What the present price suggests."""

    USUAL = "usual"
    DEAR = "dear"
    CHEAP = "cheap"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Tariff:
    """The present price against its day."""

    worth: Worth
    price: float = 0.0
    """Per kWh."""
    reference: float = 0.0
    currency: str = ""
    source: str = ""
    until: datetime | None = None
    """When a price that is worth something else comes, as far as known."""


def tariff(signals: Sequence[GridSignal], now: datetime, usual_price: float, apart: float = 0.2) -> Tariff:
    """The tariff now; `Worth.USUAL` where no price signal is in force.

    ``usual_price`` is per kWh in the signal's currency; ``apart`` the share of the median that makes dear or cheap.
    """
    prices = [signal for signal in signals if isinstance(signal, PriceSignal) and not signal.test]
    present = _at(prices, now)
    if present is None:
        return Tariff(Worth.USUAL)
    quarters = [now + n * QUARTER for n in range(DAY // QUARTER)]
    known = [_at(prices, at) for at in quarters]
    reference = median(usual_price if one is None else one.price for one in known)
    worth = _worth(present.price, reference, apart)
    until = present.end
    for at, one in zip(quarters[1:], known[1:], strict=True):
        if _worth(usual_price if one is None else one.price, reference, apart) is not worth:
            until = one.start if one is not None and one.start > now else until or at
            break
        until = one.end if one is not None else until
    return Tariff(worth, present.price, reference, present.currency, present.source, until)


def _at(prices: Sequence[PriceSignal], at: datetime) -> PriceSignal | None:
    return next((one for one in active(prices, at) if isinstance(one, PriceSignal)), None)


def _worth(price: float, reference: float, apart: float) -> Worth:
    if price < 0.0:
        return Worth.NEGATIVE
    if price > reference + apart * abs(reference):
        return Worth.DEAR
    return Worth.CHEAP if price < reference - apart * abs(reference) else Worth.USUAL
