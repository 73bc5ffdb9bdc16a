"""The values that one element had in all messages of its kind, read from their bodies beside the loop.

The element is found again by its path; where several of a name stand side by side, by what names each (its rID, its
signalID) and not by its place, since a peer may send them in another order or leave one out.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lxml import etree

from console.openadr.elements import Node
from console.openadr.parsing import parse
from console.store.database import StoreError
from console.store.reading import Reader

KEYS = ("rID", "signalID", "eventID", "reportRequestID", "uid", "resourceID", "venID")
MOST = 20_000
"""Latest messages of the kind that are read."""


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way down."""

    local: str
    place: int
    """Among those of its name, from 0."""
    key: str
    """Text that names it among them; empty where nothing does."""


def steps_to(root: Node, path: str) -> tuple[Step, ...]:
    """The way to the element at a path of ``explain.tree``; empty where it leads nowhere."""
    at, steps = root, list[Step]()
    names = path.split("/")
    if not names or _local(root) != names[0].partition("[")[0]:
        return ()
    for name in names[1:]:
        local, _, place = name.partition("[")
        among = [child for child in at if _local(child) == local]
        k = int(place.rstrip("]")) - 1 if place else 0
        if not 0 <= k < len(among):
            return ()
        at = among[k]
        steps.append(Step(local, k, _key(at) if len(among) > 1 else ""))
    return tuple(steps)


def value_there(root: Node, steps: tuple[Step, ...]) -> float | None:
    """The number at the end of the way; None where there is no such element or no number in it."""
    at = root
    for step in steps:
        among = [child for child in at if _local(child) == step.local]
        if step.key:
            among = [child for child in among if _key(child) == step.key]
            place = 0
        else:
            place = step.place
        if place >= len(among):
            return None
        at = among[place]
    try:
        return float(at.text or "")
    except ValueError:
        return None


def name_of(steps: tuple[Step, ...]) -> str:
    """What a plot of it is called: ``site:power payloadFloat``."""
    keys = [step.key for step in steps if step.key]
    return " ".join([*keys[-1:], steps[-1].local]) if steps else ""


def _local(node: Node) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _key(node: Node) -> str:
    """What names an element: one of the usual ids in it, however deep, in the order of the message."""
    return next((each.text or "" for each in node.iter(etree.Element) if _local(each) in KEYS), "")


class ValueHistory:
    """One reading of a value's history; see :class:`console.app.views.Search` for how it is followed.

    Raises
    ------
    IndexError
        From ``__init__``, where there is no such message.
    """

    def __init__(self, reader: Reader, number: int, path: str) -> None:
        self._reader = reader
        log = reader.log
        row = number - 1
        log.view(row)
        same = log.column("element") == log.columns.get(row, "element")
        for name in ("session", "peer", "outgoing"):
            same &= log.column(name) == log.columns.get(row, name)
        self._numbers = [int(each) + 1 for each in same.nonzero()[0][-MOST:]]
        self._times = [log.view(each - 1).time.timestamp() for each in self._numbers]
        root, _ = parse(reader.body(number))
        self._steps = steps_to(root, path) if root is not None else ()
        self.name = name_of(self._steps)
        self.total = len(self._numbers) if self._steps else 0
        self.done = 0
        self.finished = False
        self.trouble = ""
        self.times: list[float] = []
        """POSIX seconds at which the messages were recorded."""
        self.values: list[float] = []
        self._found: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._over = threading.Event()

    def start(self) -> None:
        """Begin in a thread that does not keep the process alive."""
        threading.Thread(target=self.run, name="history of a value", daemon=True).start()

    def run(self) -> None:
        """Read all of them; returns when that is done or :meth:`cancel` was called."""
        try:
            for number, at in zip(self._numbers[: self.total], self._times, strict=False):
                if self._stop.is_set():
                    break
                root, _ = parse(self._reader.body(number))
                value = value_there(root, self._steps) if root is not None else None
                if value is not None:
                    self._found.append((at, value))
                self.done += 1
        except (StoreError, KeyError, IndexError) as error:
            self.trouble = f"The history ends after {self.done} of {self.total} messages: {error}"
        finally:
            self._over.set()

    def cancel(self) -> None:
        """Stop soon; what was read stays."""
        self._stop.set()

    def take(self) -> bool:
        """Take in what was read since the last call; whether there was anything."""
        over, known = self._over.is_set(), len(self.times)
        fresh = self._found[known:]
        self.times += [at for at, _ in fresh]
        self.values += [value for _, value in fresh]
        self.finished = over
        return bool(fresh)

    def wait(self, seconds: float) -> bool:
        """Let it come to its end, for this long at most; for tests."""
        return self._over.wait(seconds)
