"""What a reading is worth: the data-quality token of OpenADR for each device, from what the CEM itself can see.

It sees sessions end, readings grow old, stand still while the meter moves, leave the described range or carry a wrong
time; instructions refused; and power that is not what was told. A `Watch` keeps what must be remembered for one device.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from s2python.generated import gen_s2 as g

from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.instructions import Status
from emulator.links.s2.session import State


class Quality(StrEnum):
    """oadrDataQuality, as far as a house can tell it."""

    GOOD = "Quality Good - Non Specific"
    LOCAL_OVERRIDE = "Quality Good - Local Override"
    NOT_CONNECTED = "Quality Bad - Not Connected"
    COMM_FAILURE = "Quality Bad - Comm Failure"
    LAST_USABLE = "Quality Uncertain - Last Usable Value"
    SENSOR_FAILURE = "Quality Bad - Sensor Failure"
    NOT_ACCURATE = "Quality Uncertain - Sensor Not Accurate"
    UNCERTAIN = "Quality Uncertain - Non Specific"
    DEVICE_FAILURE = "Quality Bad - Device Failure"
    NO_VALUE = "No Quality - No Value"

    @property
    def good(self) -> bool:
        return self in (Quality.GOOD, Quality.LOCAL_OVERRIDE)

    @property
    def lost(self) -> bool:
        """What the device does is not known: it counts as consumption nobody can shed."""
        return self in (Quality.NOT_CONNECTED, Quality.COMM_FAILURE, Quality.LAST_USABLE, Quality.NO_VALUE)


STALE_INTERVALS = 3
LAST_USABLE_AFTER = timedelta(seconds=60)
"""After so long without a reading the last one is what one goes by, knowingly."""
PERSISTS = timedelta(seconds=60)
OFF_SHARE = 0.10
OFF_W = 50.0
RESIDUAL_W = 200.0
SAME_READINGS = 12
SETTLED = 4
RETRY = timedelta(minutes=5)
"""A device that failed to do what it accepted is tried again after this."""
CLOCK_OFF = timedelta(seconds=10)
RANGE_SLACK = 1.10
SPIKE_REMEMBERED = timedelta(seconds=60)
UNMOVED_W = 1e-9
MISREAD = "INVALID_MESSAGE: values"
"""How the session notes a measurement whose value is none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a device was told, and the range it described."""

    commanded_w: float | None
    least_w: float
    most_w: float
    may_take_less: bool = False
    """A car draws less than it is offered when it pleases."""


class Watch:
    """What is known of the readings of one device."""

    def __init__(self) -> None:
        self.power_w = 0.0
        """The last reading that could be believed."""
        self.tried_again = False
        """Set when a device that failed is to be told anew; whoever tells it resets this."""
        self._message: g.PowerMeasurement | None = None
        self._came: datetime | None = None
        self._interval = timedelta(seconds=5)
        self._readings = 0
        self._same = 0
        self._off_since: datetime | None = None
        self._spiked: datetime | None = None

    def look(
        self, session: CemSession, power_w: float | None, expected: Expected | None, residual_w: float, now: datetime
    ) -> Quality:
        """The worth of the reading now; ``residual_w`` is what the meter shows beyond the sum of all devices."""
        if session.state is State.CLOSED:
            return Quality.NOT_CONNECTED
        if power_w is None:
            return Quality.NO_VALUE
        self._take(session, power_w, now)
        assert self._came is not None
        age = now - self._came
        if self._readings > 1 and age > STALE_INTERVALS * self._interval:
            if session.oddities and session.oddities[-1].startswith(MISREAD):
                return Quality.NOT_ACCURATE  # it talks, but what it measures is no number
            return Quality.LAST_USABLE if age > LAST_USABLE_AFTER else Quality.COMM_FAILURE
        if expected is not None and self._implausible(power_w, expected, now):
            return Quality.NOT_ACCURATE
        self.power_w = power_w
        off = abs(residual_w) > RESIDUAL_W
        if off and self._same >= SAME_READINGS and abs(power_w) > UNMOVED_W:
            return Quality.SENSOR_FAILURE
        message = self._message
        if message is not None and abs(message.measurement_timestamp - self._came) > CLOCK_OFF:
            return Quality.UNCERTAIN
        if _refused(session):
            return Quality.LOCAL_OVERRIDE
        if expected is not None and self._disobeys(power_w, expected, now):
            return Quality.NOT_ACCURATE if off else Quality.DEVICE_FAILURE
        return Quality.GOOD

    def _take(self, session: CemSession, power_w: float, now: datetime) -> None:
        message = session.latest(g.PowerMeasurement)
        if message is self._message:
            return
        at = session.received_at(g.PowerMeasurement) or now
        if self._came is not None and at > self._came:
            gap = max(at - self._came, timedelta(seconds=1))
            # a silence is not the new pace, but a device that is slow from the start is only slow
            self._interval = gap if self._readings < SETTLED else min(gap, 2 * self._interval)
        same = self._message is not None and abs(power_w - self.power_w) <= UNMOVED_W
        self._same = self._same + 1 if same else 0
        self._message, self._came = message, at
        self._readings += 1

    def _implausible(self, power_w: float, expected: Expected, now: datetime) -> bool:
        least, most = expected.least_w * RANGE_SLACK - OFF_W, expected.most_w * RANGE_SLACK + OFF_W
        if not least <= power_w <= most:
            self._spiked = now
            return True
        return self._spiked is not None and now - self._spiked < SPIKE_REMEMBERED

    def _disobeys(self, power_w: float, expected: Expected, now: datetime) -> bool:
        told = expected.commanded_w
        if told is None:
            self._off_since = None
            return False
        difference = power_w - told
        if expected.may_take_less and difference < 0.0:
            difference = 0.0
        if abs(difference) <= OFF_SHARE * abs(told) + OFF_W:
            self._off_since = None
            return False
        self._off_since = self._off_since or now
        if now - self._off_since >= PERSISTS + RETRY:
            self._off_since = None
            self.tried_again = True
            return False
        return now - self._off_since >= PERSISTS


def _refused(session: CemSession) -> bool:
    """Whether the device did not do what it was told last."""
    lives = session.lives.all()
    return bool(lives) and lives[-1].status is Status.REJECTED
