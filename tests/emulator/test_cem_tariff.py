"""Dear, cheap, negative: the present price against the day it stands in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from emulator.cem.ports import PriceSignal
from emulator.cem.tariff import Worth, tariff

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
USUAL = 0.30


def price(value: float, first: int = 0, hours: int = 1, **fields: object) -> PriceSignal:
    start = NOON + first * HOUR
    return PriceSignal(source="e-1", start=start, end=start + hours * HOUR, price=value, **fields)  # type: ignore[arg-type]


def test_no_price_is_the_usual():
    assert tariff([], NOON, USUAL).worth is Worth.USUAL
    assert tariff([price(9.0, first=1)], NOON, USUAL).worth is Worth.USUAL
    assert tariff([price(9.0, test=True)], NOON, USUAL).worth is Worth.USUAL


def test_one_dear_hour_stands_against_the_usual_price():
    result = tariff([price(0.60)], NOON, USUAL)
    assert (result.worth, result.price, result.reference) == (Worth.DEAR, 0.60, 0.30)
    assert result.until == NOON + HOUR


def test_a_little_more_or_less_is_usual():
    assert tariff([price(0.35)], NOON, USUAL).worth is Worth.USUAL
    assert tariff([price(0.25)], NOON, USUAL).worth is Worth.USUAL
    assert tariff([price(0.20)], NOON, USUAL).worth is Worth.CHEAP


def test_under_zero_is_negative_whatever_the_day():
    assert tariff([price(-0.01, hours=24)], NOON, USUAL).worth is Worth.NEGATIVE


def test_a_day_of_prices_is_its_own_measure():
    day = [price(0.10, first=hour) for hour in range(12)] + [price(0.14, first=hour) for hour in range(12, 24)]
    assert tariff(day, NOON, USUAL).worth is Worth.USUAL
    day[0] = price(0.20)
    assert tariff(day, NOON, USUAL).worth is Worth.DEAR


def test_until_is_where_the_price_stops_being_dear():
    result = tariff([price(0.60), price(0.55, first=1), price(0.20, first=2, hours=22)], NOON, USUAL)
    assert (result.worth, result.until) == (Worth.DEAR, NOON + 2 * HOUR)
