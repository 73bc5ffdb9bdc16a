"""The filters an operator used and those given a name, kept in the recording they were made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KEY = "filters"
MOST_USED = 20


class FilterBook:
    """History newest first, and saved filters by name.

    Parameters
    ----------
    recall, remember
        Where they are kept: those of a desk.
    """

    def __init__(self, recall: Callable[[str, Any], Any], remember: Callable[[str, object], None]) -> None:
        self._recall, self._remember = recall, remember

    @property
    def used(self) -> list[str]:
        return list(self._kept()["used"])

    @property
    def saved(self) -> dict[str, str]:
        """Filter text by name, in the order they were saved."""
        return dict(self._kept()["saved"])

    def note(self, text: str) -> None:
        """A filter was used: it comes first in the history."""
        text = text.strip()
        if text and text != next(iter(self.used), ""):
            self._keep([text, *(each for each in self.used if each != text)][:MOST_USED], self.saved)

    def save(self, name: str, text: str) -> None:
        """Give a filter a name; the same name again means another filter from now on."""
        name, text = name.strip() or text.strip(), text.strip()
        if text:
            self._keep(self.used, {**self.saved, name: text})

    def forget(self, name: str) -> None:
        self._keep(self.used, {key: text for key, text in self.saved.items() if key != name})

    def _kept(self) -> dict[str, Any]:
        kept = self._recall(KEY, None)
        sound = isinstance(kept, dict) and isinstance(kept.get("used"), list) and isinstance(kept.get("saved"), dict)
        return kept if sound else {"used": [], "saved": {}}

    def _keep(self, used: list[str], saved: dict[str, str]) -> None:
        self._remember(KEY, {"used": used, "saved": saved})
