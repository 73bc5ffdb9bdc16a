"""Our schema against the official verdicts on the systematic set, kept as bits: no official file is needed."""

from __future__ import annotations

import random

import pytest

from console.openadr import schema
from tests.openadr.schema_edits import Edit, edited, edits
from tests.openadr.systematic import checksum_of, groups, judged, kept_verdicts


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_every_case_has_the_official_verdict(step: int):
    kept = kept_verdicts()
    judge = schema._schema("verdict")  # pyright: ignore[reportPrivateUsage]
    count = 0
    for number, (group, of) in enumerate(groups()):
        if number % step and group != "roots":
            continue
        names, verdicts = judged(of, judge)
        checksum, official = kept[group]
        assert checksum_of(names) == checksum, f"{group} has other cases than were judged: write the verdicts anew"
        wrong = [name for name, ours, theirs in zip(names, verdicts, official, strict=True) if ours != theirs]
        assert wrong == [], group
        count += len(names)
    assert count > 150_000 // step


def test_no_verdict_is_kept_in_vain():
    assert list(kept_verdicts()) == [group for group, _ in groups()]


def notices(edit: Edit, kept: dict[str, tuple[int, list[bool]]]) -> bool:
    """Whether a case of the set gets another verdict by the edited schema; those of its own place are tried first."""
    judge = edited(edit)
    if judge is None:
        return True
    for near in (True, False):
        for group, of in groups():
            steps = {step.rpartition(":")[2] for step in group.split("/")}
            about = not steps.isdisjoint(edit.about) or group.startswith("whole")
            if about == near and judged(of, judge)[1] != kept[group][1]:
                return True
    return False


@pytest.mark.slow
def test_wrong_facts_are_noticed():
    chosen = random.Random(11).sample(list(edits()), 25)
    kept = kept_verdicts()
    missed = [edit for edit in chosen if not notices(edit, kept)]
    assert len(missed) == 0, missed
