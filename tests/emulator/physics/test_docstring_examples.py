"""The examples in the physics' docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from types import ModuleType

import pytest

MODULES = [
    *(f"emulator.physics.{name}" for name in ("base_load", "battery", "curve", "evse", "heat", "meter", "washer")),
    "emulator.cem.planner_problem",
    "emulator.cem.reasons",
    "emulator.devices.device",
    "emulator.quantities",
    "emulator.toml_lines",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str):
    module: ModuleType = importlib.import_module(name)
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
