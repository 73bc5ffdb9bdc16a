"""``nodebench certs``: what is made, what is shown, what is never overwritten or shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.app.certs import CertsOptions, certs_command
from console.app.toml_file import FileError
from console.security.authority import KeyKind
from console.security.keys import read_identity
from console.security.trust import Trust

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ECC = KeyKind.ECC


def run(folder: Path, **choices) -> int:
    return certs_command(CertsOptions(folder, **choices), NOW)


def test_one_command_makes_a_laboratory_of_both_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "lab"
    assert run(folder, authority=True, vtns=["vtn.example"], vens=["ven-1"]) == 0
    assert run(folder, authority=True, vtns=["vtn.example"], kind=ECC, hosts=["10.0.0.1"]) == 0
    trust = Trust.read(folder / "trust.pem")
    for name in ("vtn.example", "ven-1", "vtn.example-ecc"):
        identity = read_identity(folder / f"{name}.pem", folder / f"{name}.key")
        assert not trust.check(identity.certificate, identity.chain, NOW)
    assert "10.0.0.1" in read_identity(folder / "vtn.example-ecc.pem", folder / "vtn.example-ecc.key").certificate.names
    told = capsys.readouterr().out
    assert "OpenADR fingerprint" in told
    assert "PRIVATE" not in told


def test_without_anything_to_make_the_folder_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run(tmp_path, authority=True, vens=["ven-1"], kind=ECC, days=10)
    capsys.readouterr()
    assert run(tmp_path, as_json=True) == 0
    shown = {Path(line["file"]).name: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(shown) == {"ca-ecc.pem", "ven-1-ecc.pem", "trust.pem"}
    ven = shown["ven-1-ecc.pem"]
    assert ven["fingerprint"] == ven["sha256"][-29:]
    assert ven["ends"] == (NOW + timedelta(days=10)).isoformat()
    assert [(finding["rule"], finding["severity"]) for finding in ven["findings"]] == [("516", "warning")]


def test_nothing_is_overwritten(tmp_path: Path):
    run(tmp_path, authority=True, vens=["ven-1"], kind=ECC)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for again in ({"authority": True}, {"vens": ["ven-1"]}):
        with pytest.raises(FileError, match="is not overwritten"):
            run(tmp_path, kind=ECC, **again)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path):
    folder = tmp_path / "lab"
    run(folder, authority=True, vens=["../../ven"], kind=ECC)
    assert (folder / "_.._ven-ecc.pem").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["lab"]


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"vens": ["ven-1"]}, "Add --ca to make one"),
        ({}, "Make one: add --ca --ven NAME"),
        ({"authority": True, "vens": ["n" * 65]}, "1 to 64 printable letters"),
    ],
)
def test_what_cannot_be_made_is_told_with_what_to_do(choices, told: str, tmp_path: Path):
    with pytest.raises(FileError, match=told):
        run(tmp_path, kind=ECC, **choices)


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(FileError, match="is no folder"):
        run(file, authority=True, kind=ECC)
    (tmp_path / "x.pem").write_text("none")
    with pytest.raises(FileError, match="no certificate in PEM form"):
        run(tmp_path)
