"""How a power budget is split among cars: SRD 63268 interaction 5 leaves it to the CSMS what each one gets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """What one car can be given: nothing, or between a least and a greatest power. [W]"""

    name: str
    least_w: float
    most_w: float


def split(budget_w: float, claims: Sequence[Claim]) -> dict[str, float]:
    """Watts for each car, never more together than the budget; the first in the row are served first.

    A car gets its least or nothing, since the control pilot cannot say less; what is left over is filled up evenly.

    Examples
    --------
    >>> split(10_000.0, [Claim("a", 4140.0, 11_040.0), Claim("b", 1380.0, 3680.0)])
    {'a': 6320.0, 'b': 3680.0}
    >>> split(5_000.0, [Claim("a", 4140.0, 11_040.0), Claim("b", 4140.0, 11_040.0)])
    {'a': 5000.0, 'b': 0.0}
    """
    given = dict.fromkeys((claim.name for claim in claims), 0.0)
    left_w = budget_w
    served: list[Claim] = []
    for claim in claims:
        if claim.least_w <= left_w and claim.most_w > 0.0:
            given[claim.name] = claim.least_w
            left_w -= claim.least_w
            served.append(claim)
    while served and left_w > 1e-6:
        share_w = left_w / len(served)
        for claim in list(served):
            more_w = min(share_w, claim.most_w - given[claim.name])
            given[claim.name] += more_w
            left_w -= more_w
            if given[claim.name] >= claim.most_w - 1e-6:
                served.remove(claim)
    return given
