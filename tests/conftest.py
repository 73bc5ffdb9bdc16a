"""Shared by all tests: offscreen Qt, where the reference material lies, and what must not be skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of schemas, corpora and data beside the repository; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        absent("shared", f"{SHARED} is not there; it holds the official schemas and the message corpus")
    return SHARED


def absent(name: str, why: str) -> None:
    """Skip for want of ``name``, or fail where NODEBENCH_REQUIRE lists it."""
    if name in os.environ.get("NODEBENCH_REQUIRE", "").split(","):
        pytest.fail(f"{name} is required here, but: {why}")
    pytest.skip(why)
