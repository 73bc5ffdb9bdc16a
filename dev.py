#!/usr/bin/env python3
"""Everything one does with a checkout of Nodebench, with nothing but a Python of 3.11 or newer.

    python3 dev.py demo [options]   the lab: a VTN, a VEN and a house, in a window (or --headless)
    python3 dev.py test [--all]     the suite, offscreen; --all adds what is slow. Further words go to pytest
    python3 dev.py lint             ruff, pyright, import-linter
    python3 dev.py bench [NAME]     measurements, one JSON object a line
    python3 dev.py shots [DIR]      a picture of every view, light and dark
    python3 dev.py setup            only make the environment
    python3 dev.py lock             write packaging/*.lock anew from packaging/*.in (needs uv on the path)

Each makes ``.venv`` from the locked, hash-pinned requirements first where it is missing or out of date. Where this runs
as root on a Debian-like system, missing system packages are installed; elsewhere the one command to run is printed.
Tested on Debian 12 with Python 3.11; meant for any Linux, macOS and Windows, untested there.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PEERS = ROOT / ".venv-peers"
LOCKS = ROOT / "packaging"
BIN = "Scripts" if os.name == "nt" else "bin"
EXE = ".exe" if os.name == "nt" else ""

# Library looked for -> Debian package that brings it. Qt needs the first group even without a screen.
QT_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libX11.so.6": "libx11-6",
    "libbrotlidec.so.1": "libbrotli1",
}
SCREEN_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
}


class SetupError(Exception):
    """What happened and what to do, in a sentence or two."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# System packages ----------------------------------------------------------------------------------------------------


def may_install_packages() -> bool:
    return sys.platform == "linux" and shutil.which("apt-get") is not None and os.geteuid() == 0


def install_packages(packages: list[str], why: str) -> None:
    """Install Debian packages as root, or tell the command."""
    command = "apt-get install -y --no-install-recommends " + " ".join(packages)
    if not may_install_packages():
        raise SetupError(f"{why}\nOn Debian or Ubuntu run:  sudo {command}\nthen start this again.")
    say(f"  {why} Installing {', '.join(packages)} …")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "env": environment}
    if subprocess.run(command.split(), stderr=subprocess.DEVNULL, **quiet).returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # stale or missing package lists
        if subprocess.run(command.split(), **quiet).returncode:
            raise SetupError(f"Installing {', '.join(packages)} failed. Run by hand to see why:  {command}")


def missing_packages(wanted: dict[str, str]) -> list[str]:
    if sys.platform != "linux":
        return []
    missing = []
    for library, package in wanted.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def need_qt(screen: bool) -> None:
    """Qt's system libraries; with ``screen`` also those of an X11 window."""
    missing = missing_packages(QT_LIBRARIES | (SCREEN_LIBRARIES if screen else {}))
    if missing:
        install_packages(missing, "Qt needs system libraries that are not here.")


# Environments --------------------------------------------------------------------------------------------------------


def fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def pins(lock: Path) -> int:
    return sum(line[0].isalnum() and "==" in line for line in lock.read_text().splitlines() if line)


def python_of(environment: Path) -> Path:
    return environment / BIN / f"python{EXE}"


def run(*words: str | Path, quiet: bool = False) -> None:
    output = subprocess.DEVNULL if quiet else None
    code = subprocess.run([str(word) for word in words], cwd=ROOT, stdout=output).returncode
    if code:
        raise SetupError(f"This failed with exit code {code}:  {' '.join(str(word) for word in words)}")


def make_environment(where: Path) -> None:
    say(f"  making {where.name} with Python {sys.version.split()[0]} …")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        install_packages([f"python{version}-venv"], "This Python comes without venv support (ensurepip).")
    shutil.rmtree(where, ignore_errors=True)
    # In a process of its own: an ensurepip installed a moment ago is not seen by this one.
    run(sys.executable, "-m", "venv", where)


def install(environment: Path, lock: Path) -> None:
    say(f"  installing {pins(lock)} locked packages into {environment.name} (a minute or two the first time) …")
    progress = ["--progress-bar", "on"] if sys.stderr.isatty() else ["--quiet"]
    run(python_of(environment), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes",
        "--only-binary", ":all:", *progress, "-r", lock)  # fmt: skip


def need_environment(kind: str) -> None:
    """``.venv`` with what ``kind`` (``run`` or ``dev``) needs, and the ``nodebench`` command in it."""
    stamp = VENV / "nodebench-stamp"
    stamps = stamp.read_text().split() if stamp.exists() else []
    wanted = fingerprint(LOCKS / f"{kind}.lock")
    if wanted in stamps and python_of(VENV).exists():
        return
    say("Preparing the environment")
    version = sys.version.split()[0]
    if not python_of(VENV).exists() or (stamps and version not in stamps):
        make_environment(VENV)
    install(VENV, LOCKS / f"{kind}.lock")
    run(python_of(VENV), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-deps", "--no-index",
        "--no-build-isolation", "--editable", ROOT)  # fmt: skip
    # dev.lock holds all of run.lock.
    done = {"run": ["run"], "dev": ["run", "dev"]}[kind]
    stamp.write_text("\n".join([version, *(fingerprint(LOCKS / f"{name}.lock") for name in done)]))
    say("  ready")


def need_peers() -> None:
    """Foreign nodes for the interop tests, apart from our own packages; without them those tests say so and skip."""
    stamp = PEERS / "nodebench-stamp"
    wanted = fingerprint(LOCKS / "peers.lock")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("Preparing the peers that the interop tests talk to")
    try:
        make_environment(PEERS)
        install(PEERS, LOCKS / "peers.lock")
        stamp.write_text(wanted)
    except SetupError as error:
        say(f"  {error}\n  The tests that need a peer will be skipped.")


# Commands -------------------------------------------------------------------------------------------------------------


def call(*words: str | Path, **environment: str) -> int:
    """Run a program of ours to its end; Ctrl+C goes to it, and its exit code is ours."""
    process = subprocess.Popen([str(word) for word in words], cwd=ROOT, env=os.environ | environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def demo(arguments: list[str]) -> int:
    screen = "--headless" not in arguments and "--shots" not in arguments
    need_environment("run")
    if "--headless" not in arguments:
        need_qt(screen)
    if screen and sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SetupError(
            "There is no display here, so no window can open. Start this from a desktop session, "
            "or see the same lab in the terminal:  python3 dev.py demo --headless --for 60"
        )
    offscreen = {"QT_QPA_PLATFORM": "offscreen"} if "--shots" in arguments and not screen else {}
    return call(python_of(VENV), "-m", "console", "demo", *arguments, **offscreen)


def test(arguments: list[str]) -> int:
    need_environment("dev")
    need_qt(screen=False)
    need_peers()
    everything = "--all" in arguments
    words = [word for word in arguments if word != "--all"]
    if not everything:
        words = ["-m", "not slow", *words]
    if not any(word.startswith("-n") for word in words):
        words = ["-n", "2", "--dist", "loadfile", *words]
    return call(python_of(VENV), "-m", "pytest", "-q", *words, QT_QPA_PLATFORM="offscreen", QT_API="pyside6")


def lint(arguments: list[str]) -> int:
    need_environment("dev")
    python = python_of(VENV)
    code = 0
    for words in (
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "pyright", "--warnings"],
    ):
        say(" ".join(words[1:]))
        code |= call(python, *words)
    say("import-linter")
    return code | call(VENV / BIN / f"lint-imports{EXE}")


def bench(arguments: list[str]) -> int:
    need_environment("dev")
    need_qt(screen=False)
    return call(python_of(VENV), "-m", "tests.bench", *arguments, QT_QPA_PLATFORM="offscreen", QT_API="pyside6")


def shots(arguments: list[str]) -> int:
    where = next((word for word in arguments if not word.startswith("-")), ".shots")
    rest = [word for word in arguments if word != where]
    return demo(["--shots", str(Path(where).resolve()), *rest])


def setup(arguments: list[str]) -> int:
    need_environment("dev")
    return 0


def lock(arguments: list[str]) -> int:
    uv = shutil.which("uv")
    if uv is None:
        raise SetupError("Locking needs the program uv on the path:  pip install uv")
    for kind in ("run", "dev", "peers"):
        source, target = LOCKS / f"{kind}.in", LOCKS / f"{kind}.lock"
        run(uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
            "--no-header", "--no-annotate", *arguments, source, "--output-file", target, quiet=True)  # fmt: skip
        say(f"  {target.relative_to(ROOT)}: {pins(target)} pins")
    return 0


COMMANDS = {"demo": demo, "test": test, "lint": lint, "bench": bench, "shots": shots, "setup": setup, "lock": lock}


def main(words: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this script may be started by any Python
        say(f"Nodebench needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 3
    if not words or words[0] not in COMMANDS:
        print(__doc__)
        return 0 if words and words[0] in ("-h", "--help", "help") else 2
    try:
        return COMMANDS[words[0]](words[1:])
    except SetupError as error:
        say(str(error))
        return 3
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
