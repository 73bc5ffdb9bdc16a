"""Marks and notes on messages, kept in the recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

KEY = "marks"
LONGEST = 2000
"""Characters kept of a note."""


class MarkBook:
    """Which messages are marked, and what was noted of them.

    Parameters
    ----------
    recall, remember
        Where they are kept: those of a desk.
    """

    def __init__(self, recall: Callable[[str, Any], Any], remember: Callable[[str, object], None]) -> None:
        self._remember = remember
        kept = recall(KEY, None)
        self._notes: dict[int, str] = {}
        for number, note in kept.items() if isinstance(kept, dict) else ():
            if str(number).isdigit() and isinstance(note, str):
                self._notes[int(number)] = note

    @property
    def notes(self) -> Mapping[int, str]:
        """Note by number of each marked message, in the order they were marked; empty for a mark alone."""
        return self._notes

    def toggle(self, number: int) -> bool:
        """Mark a message, or take its mark and note away; whether it is marked now."""
        if self._notes.pop(number, None) is None:
            self._notes[number] = ""
        self._keep()
        return number in self._notes

    def note(self, number: int, text: str) -> None:
        """Note something of a message, which marks it; an empty note leaves the mark."""
        if text.strip() or number in self._notes:
            self._notes[number] = text.strip()[:LONGEST]
            self._keep()

    def next_after(self, number: int, by: int = 1) -> int:
        """The next marked message after this one, or the one before, round and round; 0 where none is marked."""
        ordered = sorted(self._notes)
        if not ordered:
            return 0
        if by > 0:
            return next((each for each in ordered if each > number), ordered[0])
        return next((each for each in reversed(ordered) if each < number), ordered[-1])

    def _keep(self) -> None:
        self._remember(KEY, {str(number): note for number, note in self._notes.items()})
