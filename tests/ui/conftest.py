"""Shared by the tests of the window: what a test closes is deleted before the next one begins, on its own thread."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Delete closed widgets now: outside a running loop Qt keeps them, and each change of theme would restyle them.

    Garbage is collected here too, as the window itself does it (``console.ui.collector``): a store's writer that
    happened to collect a widget of the test before would end the process.
    """
    gc.disable()
    yield
    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    gc.enable()
