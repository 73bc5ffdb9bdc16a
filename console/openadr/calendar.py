"""Times and durations of xcal: read every form the schema allows, write the plain one.

A date-time becomes an aware UTC ``datetime`` with whole seconds (rule 1: a receiver truncates fractions); a duration
becomes a :class:`Duration`, which keeps its parts. Reading raises ``ValueError`` with a sentence for texts that cannot
be represented; the codec turns that into a finding. Years count 365 days and months 30 wherever a duration has to be a
plain number of seconds; :meth:`Duration.after` follows the calendar exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import timedelta as Delta
from functools import lru_cache, total_ordering
from typing import ClassVar

_DURATION = re.compile(r"([+-]?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?|(\d+)W")
_DATE_TIME = re.compile(
    r"(-?)(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d*))?(Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_DAY = 86_400
_MONTH = 30 * _DAY
_YEAR = 365 * _DAY
_LONGEST = Delta.max.days * _DAY


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Duration:
    """Length of time in the parts it was written in; ``sign`` is 1 or -1 and applies to all of them.

    Equality, order and hash go by :attr:`seconds`, so ``PT60M`` equals ``PT1H``.
    """

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds_part: int = 0
    sign: int = 1

    zero: ClassVar[Duration]

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read any text the standard's pattern allows (``1W`` is, ``P1W`` is not); ``ValueError`` for others."""
        return _parse_duration(text)

    @classmethod
    def of(cls, length: Delta | float) -> Duration:
        """The duration of a timedelta or a number of seconds; fractions are truncated (rule 1)."""
        total = int(length.total_seconds() if isinstance(length, Delta) else length)
        minutes, seconds = divmod(abs(total), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        return cls(days=days, hours=hours, minutes=minutes, seconds_part=seconds, sign=-1 if total < 0 else 1)

    @property
    def seconds(self) -> int:
        """Length in seconds, signed. [s]"""
        return self.sign * (
            self.years * _YEAR
            + self.months * _MONTH
            + self.days * _DAY
            + self.hours * 3600
            + self.minutes * 60
            + self.seconds_part
        )

    @property
    def timedelta(self) -> Delta:
        """Length as a timedelta, held at its largest where the standard allows more than Python."""
        return Delta(seconds=max(-_LONGEST, min(_LONGEST, self.seconds)))

    @property
    def lexical(self) -> str:
        """The text we write: ``PnYnMnDTnHnMnS`` without zero parts, ``PT0S`` for nothing."""
        date = "".join(f"{n}{unit}" for n, unit in ((self.years, "Y"), (self.months, "M"), (self.days, "D")) if n)
        clock = "".join(
            f"{n}{unit}" for n, unit in ((self.hours, "H"), (self.minutes, "M"), (self.seconds_part, "S")) if n
        )
        if not date and not clock:
            return "PT0S"
        return f"{'-' if self.sign < 0 else ''}P{date}{'T' if clock else ''}{clock}"

    def after(self, start: datetime) -> datetime:
        """The instant this long after ``start``, years and months by the calendar, held within Python's range."""
        months = start.year * 12 + start.month - 1 + self.sign * (self.years * 12 + self.months)
        year, month = divmod(months, 12)
        try:
            moved = _clipped(start, year, month + 1)
            rest = self.days * _DAY + self.hours * 3600 + self.minutes * 60 + self.seconds_part
            return moved + Delta(seconds=self.sign * rest)
        except (OverflowError, ValueError):
            return (datetime.max if self.sign > 0 else datetime.min).replace(microsecond=0, tzinfo=UTC)

    def __add__(self, other: Duration) -> Duration:
        return Duration.of(self.seconds + other.seconds)

    def __sub__(self, other: Duration) -> Duration:
        return Duration.of(self.seconds - other.seconds)

    def __neg__(self) -> Duration:
        return Duration.of(-self.seconds)

    def __abs__(self) -> Duration:
        return -self if self.seconds < 0 else self

    def __bool__(self) -> bool:
        return self.seconds != 0

    def __eq__(self, other: object) -> bool:
        return self.seconds == other.seconds if isinstance(other, Duration) else NotImplemented

    def __lt__(self, other: Duration) -> bool:
        return self.seconds < other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)

    def __str__(self) -> str:
        """For people: ``1 h 30 min``, ``10 s``, ``2 d``, ``0 s``."""
        parts = (
            (self.years, "y"),
            (self.months, "mo"),
            (self.days, "d"),
            (self.hours, "h"),
            (self.minutes, "min"),
            (self.seconds_part, "s"),
        )
        words = " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"
        return f"−{words}" if self.sign < 0 and self else words


Duration.zero = Duration()


def is_duration_text(text: str) -> bool:
    """Whether the standard's pattern takes this text."""
    return _DURATION.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _parse_duration(text: str) -> Duration:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration such as PT15M or P1D")
    sign = -1 if match[1] == "-" else 1
    try:
        years, months, days, hours, minutes, seconds, weeks = (int(match[i] or 0) for i in range(2, 9))
    except ValueError:
        raise ValueError("the duration has a number of more digits than can be read") from None
    return Duration(years, months, days + 7 * weeks, hours, minutes, seconds, sign)


def parse_utc(text: str) -> datetime:
    """The plain form ``YYYY-MM-DDThh:mm:ssZ`` only, fast; ``ValueError`` sends the caller to :func:`read_date_time`."""
    if len(text) != 20 or text[19] != "Z" or text[10] != "T":
        raise ValueError(text)
    return datetime.fromisoformat(text)


def read_date_time(text: str) -> tuple[datetime, str]:
    """Any date-time a peer may send, as aware UTC, and a remark where it is not the plain form (empty if it is).

    Raises ``ValueError`` with a sentence for texts without a clear meaning or beyond the years 1 to 9999.
    """
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no date-time such as 2030-01-31T18:30:00Z")
    if match[1] or len(match[2]) > 4 or match[2] == "0000":
        raise ValueError(f"{text!r} lies outside the years 1 to 9999")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(2, 8))
    midnight = (hour, minute, second) == (24, 0, 0)
    zone = match[9]
    try:
        moment = datetime(year, month, day, 0 if midnight else hour, minute, second, tzinfo=UTC)
        moment += Delta(days=1) if midnight else Delta(0)
        if zone and zone not in "Zz":
            offset = Delta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            moment -= offset if zone[0] == "+" else -offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} names no instant: {error}") from None
    return moment, _remark(text, zone, match[8])


def _remark(text: str, zone: str | None, fraction: str | None) -> str:
    if zone is None:
        return f"{text.strip()} lacks the closing Z; it was read as UTC."
    if zone != "Z":
        return f"{text.strip()} should be written in UTC with a closing Z; it was converted."
    if fraction is not None:
        return f"The fraction of a second of {text.strip()} was cut off."
    return ""


def write_date_time(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ssZ``; ``moment`` is aware, fractions are truncated."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.year:04}{moment.strftime('-%m-%dT%H:%M:%SZ')}"


def _clipped(start: datetime, year: int, month: int) -> datetime:
    """``start`` in another month, its day held within that month's length."""
    following = datetime(year + month // 12, month % 12 + 1, 1) if (year, month) != (9999, 12) else datetime.max
    last = (following - Delta(days=1)).day if following is not datetime.max else 31
    return start.replace(year=year, month=month, day=min(start.day, last))
