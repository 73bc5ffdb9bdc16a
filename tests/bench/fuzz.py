"""Broken bytes into ``dissect`` and all that reads its result: nothing raised, memory bounded, time linear in size.

``fuzz`` makes bodies by chance from the corpora and from our own messages for NODEBENCH_FUZZ_SECONDS (default 20) and
tells how many were read, what was raised (nothing may be) and how far the memory of the process grew after the first
fifth. ``size`` reads valid and broken messages from 64 KiB to 4 MiB: microseconds per KiB, and how much more a KiB
costs in the largest than in the smallest; 1 is linear. Medians of CPU time.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from console.openadr import explain, rules
from console.openadr.codec import dissect, write
from tests.openadr.broken_bytes import broken
from tests.openadr.full_messages import full_messages
from tests.openadr.test_codec_dissect import distribute, event

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SECONDS = float(os.environ.get("NODEBENCH_FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("NODEBENCH_FUZZ_SEED", "1"))
KIB = 1024
SIZES = (64, 256, 1024, 4000)
ROUNDS = 3


def measure() -> Iterator[dict[str, Any]]:
    yield _fuzzed(SECONDS, SEED)
    for name, body_of in (
        ("valid", _many_events),
        ("broken", _many_broken_events),
        ("unknown", _many_strangers),
        ("against rules", _many_levels),
    ):
        yield {"size": name, **_by_size(body_of)}


def read_all(body: bytes) -> None:
    """What the console does with a body that came."""
    dissection = dissect(body)
    explain.tree(dissection)
    if dissection.message is not None:
        rules.check(dissection.message, None, dissection.profile)
        explain.summary(dissection.message)
        with suppress(ValueError):
            write(dissection.message)


def seeds() -> list[bytes]:
    """Bodies to start from: both corpora where they are there, and full messages of ours."""
    from lxml import etree

    found = [path.read_bytes() for folder in ("corpus", "corpus-authored") for path in (SHARED / folder).rglob("*.xml")]
    found += [etree.tostring(root) for root in full_messages()]
    return [body for body in found if len(body) < 2**15]


def _fuzzed(seconds: float, seed: int) -> dict[str, Any]:
    chance, bodies = random.Random(seed), seeds()
    raised: dict[str, str] = {}
    read, slowest = 0, 0.0
    began = time.perf_counter()
    early = 0
    while (since := time.perf_counter() - began) < seconds:
        body = broken(bodies, chance)
        start = time.process_time()
        try:
            read_all(body)
        except Exception as error:
            raised.setdefault(f"{type(error).__name__}: {error}"[:200], body.hex()[:4000])
        slowest = max(slowest, time.process_time() - start)
        read += 1
        if not early and since > seconds / 5:
            early = _peak()
    return {
        "seed": seed,
        "seconds": seconds,
        "bodies": read,
        "raised": raised,
        "slowest_ms": round(1000 * slowest),
        "growth_mib": round((_peak() - early) / KIB, 1),
    }


def _peak() -> int:
    """Largest memory of this process so far. [KiB]"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _by_size(body_of: Any) -> dict[str, Any]:
    costs: list[float] = []
    for size in SIZES:
        body = body_of(size * KIB)
        taken: list[float] = []
        for _ in range(ROUNDS):
            began = time.process_time()
            message = dissect(body).message
            if message is not None:
                rules.check(message)
            taken.append(time.process_time() - began)
        costs.append(1e6 * median(taken) / (len(body) / KIB))
    told = {f"us_per_kib_at_{size}": round(cost, 1) for size, cost in zip(SIZES, costs, strict=True)}
    return {**told, "largest_to_smallest": round(costs[-1] / costs[0], 2)}


def _many_events(size: int) -> bytes:
    one, two = distribute(event("e")), distribute(event("e"), event("f"))
    return distribute(*[event(f"e-{number}") for number in range(1 + size // (len(two) - len(one)))])[: size * 2]


def _many_broken_events(size: int) -> bytes:
    return _many_events(size).replace(b"<ei:eventStatus>far</ei:eventStatus>", b"<ei:eventStatus>soon</ei:eventStatus>")


def _many_levels(size: int) -> bytes:
    """Events that each break a rule."""
    return _many_events(size).replace(b"<ei:value>2.0</ei:value>", b"<ei:value>7.0</ei:value>")


def _many_strangers(size: int) -> bytes:
    """Elements nobody knows, all under one parent."""
    return distribute().replace(b"</ei:vtnID>", b"</ei:vtnID>" + b"<x/>" * (size // 4), 1)
