"""Our schema set beside the official one (``../shared/schema``): differences, and whether a wrong fact would show.

``systematic``: every place × every operator, every leaf × every text, generated from the element table. ``mutations``:
100,000 random ones of the messages of both corpora, signed ones among them, and of generated messages. ``edits``: one
fact of our schema made wrong at a time, NODEBENCH_EDITS of them by chance (default 100, 0 for all), and how many the
systematic set notices. Excepted: Green Button and Atom content, and xsi:type. The goals: 0, 0, and 98 % at least.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from console.openadr import schema
from console.openadr.parsing import parse
from tests.openadr.full_messages import full_messages
from tests.openadr.schema_edits import edits
from tests.openadr.systematic import groups, kept_verdicts
from tests.openadr.test_schema_oracle import mutated
from tests.openadr.test_schema_systematic import notices

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
MUTATIONS = 100_000
EDITS = int(os.environ.get("NODEBENCH_EDITS", "100"))
_SHOWN = 5


def measure() -> Iterator[dict[str, Any]]:
    path = SHARED / "schema/2.0b/oadr_20b.xsd"
    if not path.exists():
        yield {"skipped": f"{path} is not there; it is what ours is compared with"}
        return
    official = etree.XMLSchema(file=str(path))
    yield {"set": "systematic", **_systematic(official)}
    yield {"set": "mutations", **_mutations(official)}
    yield {"set": "edits", **_edits()}


def _systematic(official: etree.XMLSchema) -> dict[str, Any]:
    began = time.process_time()
    count = accepted = 0
    different: list[str] = []
    for group, of in groups():
        for name, root in of():
            verdict = official.validate(root)
            count += 1
            accepted += verdict
            if schema.is_valid(root) != verdict:
                different.append(f"{group} {name}")
    return _told(count, accepted, different, began)


def _mutations(official: etree.XMLSchema) -> dict[str, Any]:
    began = time.process_time()
    roots = [
        parse(path.read_bytes())[0] for folder in ("corpus", "corpus-authored") for path in _files(SHARED / folder)
    ]
    seeds = [root for root in roots if root is not None and "feed" not in etree.tostring(root, encoding="unicode")]
    seeds += list(full_messages())
    chance = random.Random(1)
    accepted = 0
    different: list[str] = []
    for _ in range(MUTATIONS):
        root = mutated(chance.choice(seeds), chance)
        verdict = official.validate(root)
        accepted += verdict
        if schema.is_valid(root) != verdict:
            different.append(etree.tostring(root, encoding="unicode")[:2000])
    return _told(MUTATIONS, accepted, different, began)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.xml"))


def _told(count: int, accepted: int, different: list[str], began: float) -> dict[str, Any]:
    return {
        "cases": count,
        "accepted": accepted,
        "differences": len(different),
        "first": different[:_SHOWN],
        "cpu_s": round(time.process_time() - began, 1),
    }


def _edits() -> dict[str, Any]:
    began = time.process_time()
    everything = list(edits())
    chosen = random.Random(2).sample(everything, min(EDITS or len(everything), len(everything)))
    kept = kept_verdicts()
    missed = [edit for edit in chosen if not notices(edit, kept)]
    return {
        "possible": len(everything),
        "tried": len(chosen),
        "noticed_percent": round(100 * (1 - len(missed) / len(chosen)), 1),
        "missed": [f"{edit.kind} at {', '.join(sorted(edit.about))} in {edit.file}" for edit in missed],
        "cpu_s": round(time.process_time() - began, 1),
    }
