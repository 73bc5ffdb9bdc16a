"""``nodebench check`` as scripts use it: lines, JSON, exit codes; files, folders, recordings and standard input."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.app.check import check_paths
from console.openadr.calendar import Duration
from console.openadr.codec import A, write
from console.openadr.model import (
    EiResponse,
    OadrCreatedPartyRegistration,
    OadrCreatePartyRegistration,
    OadrPoll,
    OadrProfile,
    OadrResponse,
    Payload,
)
from console.store.store import Store

POLL = write(OadrPoll(ven_id="ven-1"))
BAD_POLL = POLL.replace(b"ven-1", b"").replace(b"><ei:venID", b">\n<ei:venID")
INVALID = POLL.replace(b"<ei:venID>ven-1</ei:venID>", b"")
START = datetime(2030, 5, 1, tzinfo=UTC)


def checked(*paths: Path | str, stdin: bytes = b"", **options: Any) -> tuple[int, list[dict]]:
    out = io.StringIO()
    code = check_paths([str(path) for path in paths], as_json=True, out=out, stdin=io.BytesIO(stdin), **options)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_good_message(tmp_path: Path):
    file = tmp_path / "poll.xml"
    file.write_bytes(POLL)
    code, (told,) = checked(file)
    assert code == 0
    assert told == {
        "file": str(file),
        "element": "oadrPoll",
        "profile": "2.0b",
        "well_formed": True,
        "schema_valid": True,
        "findings": [],
        "signature": None,
    }


def test_a_broken_rule_is_an_error_with_line_and_path():
    code, (told,) = checked("-", stdin=BAD_POLL)
    assert code == 1
    assert (told["file"], told["schema_valid"]) == ("-", True)
    (finding,) = told["findings"]
    assert set(finding) == {"rule", "severity", "path", "line", "text"}
    assert (finding["rule"], finding["severity"], finding["line"]) == ("508", "error", 2)
    assert finding["path"].endswith("/oadrPoll")


@pytest.mark.parametrize(
    ("body", "well_formed", "schema_valid"),
    [
        (INVALID, True, False),
        (b"<a", False, False),
        (b"", False, False),
        (POLL.replace(b"?>\n", b"?>\n<!DOCTYPE a>", 1), True, False),
        (b'<oadrPoll xmlns="http://openadr.org/oadr-2.0b/2012/07"/>', True, False),
    ],
)
def test_bad_messages(body: bytes, well_formed: bool, schema_valid: bool):
    code, (told,) = checked("-", stdin=body)
    assert code == (1 if body else 0)
    assert (told["well_formed"], told["schema_valid"]) == (well_formed, schema_valid)
    assert told["findings"]


def test_a_bare_root_is_valid_and_a_warning_and_an_error_in_strict_mode():
    body = b'<?xml version="1.0"?>' + POLL[POLL.index(b"<oadr:oadrPoll") : POLL.index(b"</oadr:oadrSigned")]
    declared = b' xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07"'
    declared += b' xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"'
    body = body.replace(b"<oadr:oadrPoll", b"<oadr:oadrPoll" + declared, 1)
    code, (told,) = checked("-", stdin=body)
    assert (code, told["schema_valid"], told["element"]) == (0, True, "oadrPoll")
    assert [finding["severity"] for finding in told["findings"]] == ["warning"]
    code, (told,) = checked("-", stdin=body, strict=True)
    assert code == 1
    assert [finding["severity"] for finding in told["findings"]] == ["error"]


def test_profile_2_0a():
    body = write(OadrResponse(response=EiResponse(response_code="200"), schema_version=""), profile=A)
    code, (told,) = checked("-", stdin=body)
    assert (code, told["profile"], told["schema_valid"]) == (0, "2.0a", True)


def test_folders_hold_messages_and_recordings(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/b.xml").write_bytes(POLL)
    (tmp_path / "a.xml").write_bytes(INVALID)
    (tmp_path / "notes.txt").write_text("no message")
    recorded(tmp_path / "day.sqlite", (True, 0, OadrPoll(ven_id="ven-1")))
    code, told = checked(tmp_path)
    assert code == 1
    assert [Path(each["file"]).name for each in told] == ["a.xml", "day.sqlite#1", "b.xml"]


def test_what_cannot_be_opened_is_a_sentence_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good = tmp_path / "poll.xml"
    good.write_bytes(INVALID)
    code, told = checked(tmp_path / "none.xml", good)
    assert code == 2
    assert len(told) == 1
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "other.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 2000)
    assert checked(tmp_path / "other.sqlite")[0] == 2


def test_the_text_has_a_line_per_message_and_its_findings_under_it(tmp_path: Path):
    file = tmp_path / "poll.xml"
    file.write_bytes(BAD_POLL)
    out = io.StringIO()
    assert check_paths([str(file)], out=out) == 1
    first, second = out.getvalue().splitlines()
    assert first == f"{file}: oadrPoll 2.0b, schema-valid: 1 error"
    assert second.startswith("  error: The VEN's message carries no venID. (rule 508 line 2 ")


def recorded(path: Path, *messages: tuple[bool, int, Payload]) -> None:
    """A recording made at a VEN; each message as (outgoing, number of the request it answers, message)."""
    with Store.open(path) as store:
        for number, (outgoing, reply_to, message) in enumerate(messages):
            body = write(message)
            row = store.append(
                time=START + timedelta(seconds=number),
                session="ven",
                outgoing=outgoing,
                peer="vtn",
                transport="http",
                start_line="",
                headers=(),
                body=body,
                reply_to=reply_to,
            )
            name = type(message).__name__
            store.derive(row, element=name[0].lower() + name[1:], findings=())


def test_a_recording_is_held_to_the_rules_of_sequences(tmp_path: Path):
    create = OadrCreatePartyRegistration(
        request_id="q",
        profile_name="2.0b",
        transport_name="simpleHttp",
        report_only=False,
        xml_signature=False,
        http_pull_model=True,
    )
    created = OadrCreatedPartyRegistration(
        response=EiResponse(response_code="200", request_id="q"),
        registration_id="r",
        ven_id="ven-1",
        vtn_id="vtn",
        profiles=(OadrProfile(profile_name="2.0b", transports=("simpleHttp",)),),
    )
    recorded(tmp_path / "bad.sqlite", (True, 0, create), (False, 1, created), (True, 0, OadrPoll(ven_id="ven-1")))
    code, told = checked(tmp_path / "bad.sqlite")
    assert code == 1
    assert [[finding["rule"] for finding in each["findings"]] for each in told] == [[], ["403"], []]
    freq = replace(created, requested_oadr_poll_freq=Duration.of(10))
    recorded(tmp_path / "good.sqlite", (True, 0, create), (False, 1, freq))
    assert checked(tmp_path / "good.sqlite")[0] == 0


def test_the_official_schemas_add_their_verdict(shared: Path):
    code, (told,) = checked("-", stdin=INVALID, schema=shared / "schema")
    assert (code, told["official_valid"]) == (1, False)
    code, (told,) = checked("-", stdin=POLL, schema=shared / "schema/2.0b")
    assert (code, told["official_valid"]) == (0, True)


def test_a_folder_without_schemas_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert checked("-", stdin=POLL, schema=tmp_path) == (2, [])
    assert "oadr_20b.xsd" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["corpus", "corpus-authored"])
def test_every_file_of_the_corpora_gets_a_verdict(shared: Path, folder: str):
    files = sorted((shared / folder).rglob("*.xml"))
    code, told = checked(shared / folder, schema=shared / "schema")
    assert code == 1
    assert [each["file"] for each in told] == [str(file) for file in files]
    for each in told:
        assert each["findings"] or (each["well_formed"] and each["schema_valid"]), each
        if each["profile"] and "official_valid" in each:
            assert each["official_valid"] == each["schema_valid"], each["file"]
