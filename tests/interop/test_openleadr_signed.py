"""Mutual TLS and signatures with OpenLEADR 0.5.36 as a separate process: each verifies what the other signs.

Its verification is its own (signxml under OpenLEADR's rules: two references, five seconds, every nonce once); the
scripts only tell what came of it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.app.certs import CertsOptions, certs_command
from console.openadr import codec
from console.security.authority import KeyKind
from console.security.keys import read_certificates
from console.security.trust import Trust
from console.security.verification import Verifier, VerifierSettings
from console.store.store import Store

EVENT = """
market_context = "http://example.com/programme"
start = "+4s"
duration = "10m"
signal = "SIMPLE"
type = "level"

[[interval]]
duration = "10m"
value = 1
"""


def fact(name, **members):
    return lambda line: line.get("fact") == name and all(line.get(key) == value for key, value in members.items())


def saw(name, **members):
    return lambda line: line.get("saw") == name and all(line.get(key) == value for key, value in members.items())


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lab:
    folder = tmp_path / "certs"
    options = CertsOptions(folder, authority=True, vtns=["vtn"], vens=["ven"], kind=request.param)
    certs_command(options, datetime.now(UTC))
    capsys.readouterr()
    return Lab(folder, "-ecc" if request.param is KeyKind.ECC else "")


class Lab:
    """Certificates of a VTN and a VEN of one kind."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self.folder, self.suffix = folder, suffix
        self.authority = folder / "trust.pem"

    def files(self, name: str) -> tuple[Path, Path]:
        stem = self.folder / f"{name}{self.suffix}"
        return Path(f"{stem}.pem"), Path(f"{stem}.key")

    def fingerprint(self, name: str) -> str:
        return read_certificates(self.files(name)[0])[0].fingerprint

    def options(self, name: str) -> list[str | Path]:
        certificate, key = self.files(name)
        return ["--tls-cert", certificate, "--tls-key", key, "--tls-ca", self.authority, "--sign", "--verify"]

    def unverified(self, file: Path) -> list[tuple[str, list[str]]]:
        """Messages of a recording that were not signed well, whoever sent them."""
        verifier = Verifier(Trust.read(self.authority), VerifierSettings())
        bad: list[tuple[str, list[str]]] = []
        with Store.open(file) as store:
            assert len(store.log) > 6
            for number in range(1, len(store.log) + 1):
                body = store.body(number)
                if body and not (verdict := verifier.verify(body)).valid:
                    bad.append((codec.dissect(body).element, [finding.text for finding in verdict.findings]))
        return bad


@pytest.mark.parametrize("lab", [KeyKind.RSA, pytest.param(KeyKind.ECC, marks=pytest.mark.slow)], indirect=True)
def test_its_ven_verifies_what_our_vtn_signs_and_we_what_it_signs(nodebench, openleadr, lab: Lab, tmp_path: Path):
    event = tmp_path / "event.toml"
    event.write_text(EVENT)
    recording = tmp_path / "vtn.oadrrec"
    vtn = nodebench("vtn", "--host", "127.0.0.1", "--port", "0", "--poll-frequency", "1s", "--event", event,
                    "--store", recording, "--json", *lab.options("vtn"))  # fmt: skip
    url = vtn.wait_for(fact("listening"))["url"]
    assert url.startswith("https://")
    ven = openleadr("openleadr_signed_ven.py", url, "ven-olr", *lab.files("ven"), lab.authority, lab.fingerprint("vtn"))
    ven_id = vtn.wait_for(fact("registered", ven_name="ven-olr"))["ven_id"]
    ven.wait_for(saw("verified", payload="oadrCreatedPartyRegistration"))
    ven.wait_for(saw("verified", payload="oadrDistributeEvent"))
    received = ven.wait_for(saw("event"))
    assert vtn.wait_for(fact("opt", ven_id=ven_id))["event_id"] == received["event_id"]
    ven.wait_for(saw("verified", payload="oadrResponse"))
    assert not [line for line in ven.seen if line.get("saw") == "refused"]
    assert vtn.interrupt() == 0
    assert lab.unverified(recording) == []


@pytest.mark.parametrize("lab", [KeyKind.ECC, pytest.param(KeyKind.RSA, marks=pytest.mark.slow)], indirect=True)
def test_its_vtn_verifies_what_our_ven_signs_and_we_what_it_signs(
    nodebench, openleadr, free_port: int, lab: Lab, tmp_path: Path
):
    vtn = openleadr("openleadr_signed_vtn.py", str(free_port), *lab.files("vtn"), lab.authority)
    url = vtn.wait_for(saw("listening"))["url"].replace("localhost", "127.0.0.1")
    recording = tmp_path / "ven.oadrrec"
    ven = nodebench("ven", "--vtn", url, "--name", "ven-nb", "--opt", "optIn", "--store", recording, "--json",
                    "--signer", lab.fingerprint("vtn"), *lab.options("ven"))  # fmt: skip
    registration = vtn.wait_for(saw("registration", ven_name="ven-nb"))
    assert registration["fingerprint"] == lab.fingerprint("ven")
    assert registration["xml_signature"] is True
    assert ven.wait_for(fact("registered"))["ven_id"] == "id-of-ven-nb"
    vtn.wait_for(saw("verified", payload="oadrPoll"))
    ven.wait_for(fact("event", event_id="olr-signed"))
    vtn.wait_for(saw("verified", payload="oadrCreatedEvent"))
    assert vtn.wait_for(saw("opt", event_id="olr-signed"))["opt_type"] == "optIn"
    assert not [line for line in vtn.seen if line.get("saw") == "refused"]
    assert ven.interrupt() == 0
    assert lab.unverified(recording) == []


@pytest.mark.slow
@pytest.mark.parametrize("lab", [KeyKind.ECC], indirect=True)
def test_its_vtn_is_not_listened_to_where_another_may_sign_only(
    nodebench, openleadr, free_port: int, lab: Lab, tmp_path: Path
):
    """The proof that our VEN does look: with another signer named, the same VTN cannot register it."""
    vtn = openleadr("openleadr_signed_vtn.py", str(free_port), *lab.files("vtn"), lab.authority)
    url = vtn.wait_for(saw("listening"))["url"].replace("localhost", "127.0.0.1")
    ven = nodebench("ven", "--vtn", url, "--name", "ven-nb", "--store", tmp_path / "ven.oadrrec", "--json",
                    "--signer", lab.fingerprint("ven"), *lab.options("ven"))  # fmt: skip
    vtn.wait_for(saw("registration", ven_name="ven-nb"))
    finding = ven.wait_for(fact("finding", rule="517"))
    assert re.search(f"CN=vtn.* has the fingerprint {lab.fingerprint('vtn')}, not", finding["text"])
    assert not [line for line in ven.seen if line.get("fact") == "registered"]
