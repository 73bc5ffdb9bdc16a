"""Shared by the tests of the window: what a test closes is deleted before the next one begins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Delete closed widgets now: outside a running loop Qt keeps them, and each change of theme would restyle them."""
    yield
    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
