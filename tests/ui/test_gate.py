"""The version gate: which pairs of Python and PySide6 may open a window, and that the installed pair is sound."""

import subprocess
import sys

import pytest
from PySide6.QtCore import QTimer

from console.ui.gate import EXIT_CANNOT_START, installed_pyside, leading_numbers, refusal, require_working_qt


@pytest.mark.parametrize(
    ("python", "pyside"),
    [((3, 11), "6.11.3"), ((3, 11), "6.8.0"), ((3, 12), "6.12.0"), ((3, 13), "6.14.1"), ((3, 12), "6.11.3")],
)
def test_sound_pairs_may_start(python: tuple[int, int], pyside: str) -> None:
    assert refusal(python, pyside) is None


@pytest.mark.parametrize(
    ("python", "pyside"), [((3, 11), "6.12.0"), ((3, 11), "6.12.0.1"), ((3, 10), "6.13.2"), ((3, 11), "7.0")]
)
def test_the_crashing_pair_is_refused_with_what_to_do(python: tuple[int, int], pyside: str) -> None:
    text = refusal(python, pyside)
    assert text is not None
    assert pyside in text
    assert f"{python[0]}.{python[1]}" in text
    assert "pip install" in text
    assert "Python 3.12" in text


def test_a_missing_pyside_is_told_and_headless_named() -> None:
    text = refusal((3, 12), None)
    assert text is not None
    assert "not installed" in text
    assert "--headless" in text


def test_the_gate_ends_the_process_with_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        require_working_qt((3, 11), lambda: "6.12.0")
    assert ended.value.code == EXIT_CANNOT_START == 3
    assert "6.12.0" in capsys.readouterr().err


def test_the_installed_pair_passes() -> None:
    require_working_qt()
    assert installed_pyside() is not None


def test_the_gate_imports_nothing_of_qt() -> None:
    code = "import sys, console.ui.gate; print(any(n.startswith(('PySide6', 'shiboken6')) for n in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize(("text", "numbers"), [("6.12.0a1", (6, 12)), ("6", (6, 0)), ("", (0, 0)), ("6.8.0.2", (6, 8))])
def test_versions_are_read_leniently(text: str, numbers: tuple[int, int]) -> None:
    assert leading_numbers(text) == numbers


def test_qt_calls_take_no_reference_off_none(qapp: object) -> None:
    timer = QTimer()
    timer.stop()
    before = sys.getrefcount(None)
    for _ in range(1000):
        timer.stop()
    assert sys.getrefcount(None) > before - 500
