"""The command line as scripts use it: processes of their own, real sockets, exit codes and one sentence for people."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SITE = REPOSITORY / "resources" / "sites" / "demo.toml"

WITHOUT_QT = """
import sys
for name in ("PySide6", "shiboken6", "pyqtgraph", "qasync"):
    sys.modules[name] = None
from console.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(*words: str | Path, seconds: float = 60, program: tuple[str, ...] = ("-m", "console")):
    return subprocess.run(
        [sys.executable, *program, *[str(word) for word in words]],
        capture_output=True, text=True, timeout=seconds, cwd=REPOSITORY,
    )  # fmt: skip


def facts(result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_sentence(result, *words: str) -> None:
    """Exactly one line on standard error, no traceback, with these words."""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0]


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_port_in_use_is_one_sentence_and_exit_code_3(taken):
    result = run("vtn", "--host", "127.0.0.1", "--port", taken, "--for", "1", "--json")
    assert result.returncode == 3
    one_sentence(result, str(taken), "in use")


def test_an_unreachable_vtn_is_told_once_retried_and_exit_code_4(taken):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b"
    result = run("ven", "--vtn", url, "--name", "v", "--for", "4", "--json")
    assert result.returncode == 4
    told = [fact for fact in facts(result) if fact["fact"] == "finding"]
    assert len(told) == 1
    assert str(port) in told[0]["text"] and told[0]["severity"] == "error"
    assert facts(result)[-1] == {"fact": "closed"}
    assert "Traceback" not in result.stderr


def test_a_site_file_with_a_negative_capacity_names_file_line_and_what_is_allowed(tmp_path):
    site = tmp_path / "site.toml"
    site.write_text(SITE.read_text().replace('capacity = "10 kWh"', 'capacity = "-10 kWh"'))
    line = site.read_text().splitlines().index('capacity = "-10 kWh"') + 1
    for words in (
        ("site", site, "--for", "1"),
        ("ven", "--vtn", "http://127.0.0.1:1/x", "--name", "v", "--site", site),
    ):
        result = run(*words)
        assert result.returncode == 2
        one_sentence(result, str(site), f"line {line}", "capacity", "-10 kWh")


def test_a_store_in_a_folder_that_does_not_exist_is_exit_code_3(tmp_path):
    result = run("vtn", "--host", "127.0.0.1", "--port", "0", "--store", tmp_path / "nowhere" / "a.oadrrec")
    assert result.returncode == 3
    one_sentence(result, "nowhere")


@pytest.mark.parametrize(
    "words",
    [
        ("vtn", "--host", "127.0.0.1"),
        ("vtn", "--host", "127.0.0.1", "--port", "99999"),
        ("ven", "--vtn", "localhost", "--name", "x"),
        ("demo", "--speed", "0"),
        ("demo", "--at", "noon"),
        ("fly",),
    ],
)
def test_bad_usage_is_exit_code_2(words):
    result = run(*words)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_bad_event_file_is_exit_code_2_before_anything_starts(tmp_path):
    event = tmp_path / "event.toml"
    event.write_text('signal = "SIMPLE"\n\n[[interval]]\nduration = "1m"\nvalue = 9\n')
    result = run("vtn", "--host", "127.0.0.1", "--port", "0", "--event", event)
    assert result.returncode == 2
    one_sentence(result, str(event), "rule 9")
    assert result.stdout == ""


def test_vtn_and_lab_run_without_qt():
    vtn = run("vtn", "--host", "127.0.0.1", "--port", "0", "--for", "1", "--json", program=("-c", WITHOUT_QT))
    assert (vtn.returncode, [fact["fact"] for fact in facts(vtn)]) == (0, ["listening", "closed"]), vtn.stderr
    lab = run("demo", "--headless", "--for", "6", "--json", program=("-c", WITHOUT_QT))
    assert lab.returncode == 0, lab.stderr
    assert "registered" in {fact["fact"] for fact in facts(lab)}


def test_a_restart_on_the_same_store_knows_its_ven_shows_old_messages_and_issues_nothing_twice(tmp_path):
    from console.store.store import Store

    event, vtn_store, ven_store = tmp_path / "e.toml", tmp_path / "vtn.oadrrec", tmp_path / "ven.oadrrec"
    event.write_text('start = "+1h"\nsignal = "SIMPLE"\n[[interval]]\nduration = "10m"\nvalue = 1\n')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b"

    def both() -> list[dict]:
        words = [sys.executable, "-m", "console", "vtn", "--host", "127.0.0.1", "--port", str(port), "--event",
                 str(event), "--poll-frequency", "1s", "--store", str(vtn_store), "--json", "--for", "14"]  # fmt: skip
        vtn = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        ven = run("ven", "--vtn", url, "--name", "v", "--store", ven_store, "--for", "9", "--json")
        assert ven.returncode == 0, ven.stdout + ven.stderr
        out, _ = vtn.communicate(timeout=40)
        assert vtn.returncode == 0
        return [json.loads(line) for line in out.splitlines()]

    first = both()
    with Store.open(vtn_store) as store:
        messages = len(store.log)
        body = store.body(1)
    second = both()

    def told(lines: list[dict], name: str, member: str) -> set:
        return {fact[member] for fact in lines if fact["fact"] == name}

    assert told(first, "event", "event_id") == told(second, "event", "event_id") != set()
    assert told(first, "registered", "ven_id") == told(second, "registered", "ven_id") != set()
    assert "opt" in {fact["fact"] for fact in first}
    with Store.open(vtn_store) as store:
        assert len(store.log) > messages
        assert store.body(1) == body
        assert store.log.view(0).element == "oadrCreatePartyRegistration"
