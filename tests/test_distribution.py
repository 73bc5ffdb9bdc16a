"""What is in the repository is in the distribution, and nothing names a registry."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import REPOSITORY


def test_every_package_is_distributed():
    listed = set(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(path.parent.relative_to(REPOSITORY).parts)
        for room in ("console", "emulator")
        for path in (REPOSITORY / room).rglob("*.py")
    }
    assert listed - {"nodebench_resources"} == found


def test_every_package_can_be_seen_by_tools():
    for room in ("console", "emulator"):
        for path in (REPOSITORY / room).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path.parent


def test_locks_are_hashed_and_carry_no_addresses():
    for lock in (REPOSITORY / "packaging").glob("*.lock"):
        text = lock.read_text()
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
        pins = re.findall(r"^[A-Za-z0-9][^\s]*==[^\\]*\\\n(?: +--hash=sha256:[0-9a-f]{64}.*\n)+", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[A-Za-z0-9][^\s]*==", text, re.MULTILINE)) > 0


def test_pyside6_is_held_below_the_broken_wheels_on_old_pythons():
    for lock in ("run.lock", "dev.lock"):
        text = (REPOSITORY / "packaging" / lock).read_text()
        old = re.search(r"pyside6-essentials==(\d+)\.(\d+)\S* ; python_full_version < '3\.12'", text)
        assert old and (int(old[1]), int(old[2])) < (6, 12)
