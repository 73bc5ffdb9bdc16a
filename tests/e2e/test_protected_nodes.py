"""TLS, strictness, push and many VENs from the command line: what goes together, and that it works as processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli import BAD_USAGE, main
from console.security.authority import KeyKind, issue, new_authority
from console.security.keys import write_key

REPOSITORY = Path(__file__).resolve().parents[2]
VTN = ("vtn", "--host", "127.0.0.1", "--port", "0", "--for", "1")
VEN = ("ven", "--vtn", "http://127.0.0.1:1/OpenADR2/Simple/2.0b", "--for", "1")


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and name.crt with name.key for localhost and ven-1."""
    folder, now = tmp_path_factory.mktemp("papers"), datetime.now(UTC)
    root = new_authority(KeyKind.ECC, now)
    (folder / "ca.pem").write_bytes(root.certificate.pem())
    for name, role in (("localhost", "VTN"), ("ven-1", "VEN")):
        node = issue(root, name, role, KeyKind.ECC, now, also=("localhost",))
        (folder / f"{name}.crt").write_bytes(node.certificate.pem())
        write_key(folder / f"{name}.key", node.key)
    return folder


def own(papers: Path, name: str) -> tuple[str, ...]:
    return ("--tls-cert", str(papers / f"{name}.crt"), "--tls-key", str(papers / f"{name}.key"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*VTN, "--tls-cert", "a.pem"), "--tls-key once for each --tls-cert"),
        ((*VTN, "--tls-cert", "a.pem", "--tls-key", "b.pem", "--tls-ca", "nowhere.pem"), "nowhere.pem"),
        ((*VTN, "--crl", "a.crl"), "give that, too"),
        ((*VEN, "--name", "v", "--count", "3"), "{n}"),
        ((*VEN, "--name", "v-{n}", "--count", "3", "--site", "house.toml"), "goes with one VEN"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(words, said, capsys):
    assert main(words) == BAD_USAGE
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "\n" not in told


def test_a_vtn_needs_a_certificate_of_its_own_and_so_does_a_ven_that_is_pushed_to(papers, capsys):
    assert main((*VTN, "--tls-ca", str(papers / "ca.pem"))) == BAD_USAGE
    assert "certificate of its own" in capsys.readouterr().err
    assert main((*VEN, "--name", "v", "--push", "--tls-ca", str(papers / "ca.pem"))) == BAD_USAGE
    assert "needs a certificate" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["0.0.0.0:80", "nowhere", ":80", "host:port"])
def test_a_place_no_vtn_can_push_to_is_refused(place, capsys):
    with pytest.raises(SystemExit):
        main((*VEN, "--name", "v", "--push", place))
    told = capsys.readouterr().err
    assert "--push" in told
    assert f"'{place}' is no place" in told or "'port' is no port" in told


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "console", *words, "--json"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_three_ven_are_pushed_to_by_mutual_tls_in_strict_mode(papers):
    both = ("--tls-ca", str(papers / "ca.pem"), "--strict")
    vtn = start("vtn", "--host", "127.0.0.1", "--port", "0", "--request-reports", *own(papers, "localhost"), *both)
    ven = None
    try:
        assert vtn.stdout
        url = json.loads(vtn.stdout.readline())["url"].replace("127.0.0.1", "localhost")
        assert url.startswith("https://")
        fleet = ("--name", "v-{n}", "--count", "3", "--push", "localhost:0")
        ven = start("ven", "--vtn", url, *fleet, *own(papers, "ven-1"), *both)
        registered, reporting = set(), set()
        end = time.monotonic() + 60
        while time.monotonic() < end and len(reporting) < 3:
            fact = json.loads(vtn.stdout.readline())
            if fact["fact"] == "registered":
                registered.add(fact["ven_name"])
            elif fact["fact"] == "report":
                reporting.add(fact["ven_id"])
        assert registered == {"v-1", "v-2", "v-3"}
        assert len(reporting) == 3
    finally:
        for process in (vtn, ven):
            if process is not None:
                process.terminate()
                process.wait(20)
