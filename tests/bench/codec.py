"""How many messages a second are dissected: parsed, judged by the schema, typed, and held to the single-message rules.

Over the valid messages of the authored corpus and over a poll alone, beside OpenLEADR's ``validate_xml_schema`` and
``parse_message`` on the same bytes in the same run: rounds of both alternate, medians of CPU time are told. Nothing is
cached between messages. ``share_*`` says where our time goes, each stage measured on top of the one before. The goals
of the design: six times OpenLEADR's number over the corpus, three and a half times on the poll.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from lxml import etree

from console.openadr import rules, schema
from console.openadr.codec import dissect, write
from console.openadr.parsing import parse

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared/corpus-authored/valid"
PEER = ROOT / ".venv-peers/bin/python"
ROUNDS = 9
OURS_A_ROUND = 2500
"""Messages read in one round of ours; a fifth of that in one of the peer's."""


def measure() -> Iterator[dict[str, Any]]:
    paths = sorted(CORPUS.glob("*.xml"))
    if not paths:
        yield {"skipped": f"{CORPUS} is not there; it holds the messages measured"}
        return
    peer = _start_peer(paths)
    everything = range(len(paths))
    poll = [index for index, path in enumerate(paths) if path.name == "poll.xml"]
    bodies = [path.read_bytes() for path in paths]
    try:
        for name, indices in (("corpus", everything), ("poll", poll)):
            yield {"messages": name, **_compared([bodies[index] for index in indices], indices, peer)}
    finally:
        if peer is not None:
            peer.kill()
            peer.wait()
    yield {"messages": "corpus", **_stages(bodies)}


def read(body: bytes) -> None:
    """All that happens to a message before a role sees it."""
    message = dissect(body).message
    assert message is not None
    rules.check(message)


def _compared(bodies: Sequence[bytes], indices: Sequence[int], peer: subprocess.Popen[str] | None) -> dict[str, Any]:
    ours: list[float] = []
    theirs: list[float] = []
    rounds = max(1, OURS_A_ROUND // len(bodies))
    their_rounds = max(1, rounds // 5)
    for _ in range(ROUNDS):
        ours.append(rounds * len(bodies) / _seconds(read, bodies, rounds))
        if peer is not None:
            theirs.append(their_rounds * len(bodies) / _peer_seconds(peer, their_rounds, indices))
    told: dict[str, Any] = {"dissected_a_second": round(median(ours)), "microseconds": round(1e6 / median(ours), 1)}
    if theirs:
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        told |= {"openleadr_a_second": round(median(theirs)), "times_openleadr": round(median(ratios), 2)}
    return told


def _stages(bodies: Sequence[bytes]) -> dict[str, Any]:
    """Microseconds a message, stage upon stage."""

    def parsed(body: bytes) -> None:
        parse(body)

    def judged(body: bytes) -> None:
        root, _ = parse(body)
        assert root is not None
        schema.is_valid(root)

    def typed(body: bytes) -> None:
        dissect(body)

    stages: list[tuple[str, Callable[[bytes], None]]] = [
        ("parse", parsed),
        ("schema", judged),
        ("typed", typed),
        ("rules", read),
    ]
    rounds = max(1, OURS_A_ROUND // len(bodies))
    count = rounds * len(bodies)
    taken: dict[str, list[float]] = {name: [] for name, _ in stages}
    for _ in range(ROUNDS):
        for name, stage in stages:
            taken[name].append(1e6 * _seconds(stage, bodies, rounds) / count)
    told: dict[str, Any] = {}
    before = 0.0
    for name, times in taken.items():
        told[f"share_{name}_us"] = round(median(times) - before, 1)
        before = median(times)
    messages = [message for body in bodies if (message := dissect(body).message) is not None]
    writing = median(_seconds(write, messages, rounds) for _ in range(ROUNDS))
    return told | {"write_us": round(1e6 * writing / count, 1), "libxml": ".".join(map(str, etree.LIBXML_VERSION))}


def _seconds(stage: Callable[[Any], Any], things: Sequence[Any], rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        for thing in things:
            stage(thing)
    return time.process_time() - began


def _start_peer(paths: Sequence[Path]) -> subprocess.Popen[str] | None:
    if not PEER.exists():
        return None
    words = [str(PEER), str(Path(__file__).with_name("codec_peer.py")), *map(str, paths)]
    peer = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert peer.stdout is not None
    if peer.stdout.readline().strip() != "ready":
        peer.wait()
        return None
    return peer


def _peer_seconds(peer: subprocess.Popen[str], rounds: int, indices: Sequence[int]) -> float:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write(" ".join(map(str, (rounds, *indices))) + "\n")
    peer.stdin.flush()
    return float(peer.stdout.readline())
