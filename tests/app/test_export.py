"""Exports: what is written is all there is, comes back to the byte, and redacted tells nobody who it was."""

from __future__ import annotations

import base64
import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.app.export import Format, cell, export
from console.app.long_work import Cancelled
from console.app.recording_desk import RecordedDesk
from console.app.redaction import Redactor
from console.openadr import codec
from console.session.clock import VirtualClock
from console.store.recording import Recording
from console.store.store import Store, StoreError
from tests.app.recorded import record

SECRETS = ("villa-rosa", "ven-rosa", "vtn-town", "e-rosa", "192.168.7", "meter", "registration-", "request-")
"""What the recorded dialogue has of ids and addresses."""


@pytest.fixture
async def recording(tmp_path: Path) -> Path:
    return await record(tmp_path / "source", 130)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_json_lines_hold_every_message_with_its_body(recording: Path, tmp_path: Path) -> None:
    with Store.open(recording) as store:
        garbage = bytes(range(256))
        store.append(
            time=datetime(2026, 6, 2, tzinfo=UTC), session="s", outgoing=False, peer="p", transport="http",
            start_line="", headers=(), body=garbage,
        )  # fmt: skip
    with Recording(recording) as source:
        count = len(source.log)
        said = export(source, range(1, count + 1), Format.JSONL, tmp_path / "a.jsonl")
        assert said == f"Wrote {count} messages to {tmp_path / 'a.jsonl'}."
        first, *rows = lines(tmp_path / "a.jsonl")
        assert first["messages"] == count == len(rows)
        for row in rows:
            number = row["number"]
            assert isinstance(number, int)
            body = source.body(number)
            back = str(row["body"]).encode() if "body" in row else base64.b64decode(str(row["body_base64"]))
            assert back == body
            view = source.log.view(number - 1)
            assert (row["element"], row["reply_to"], row["summary"]) == (
                view.element,
                view.reply_to or None,
                view.summary,
            )
        export(source, [3], Format.JSONL, tmp_path / "b.jsonl")
        assert [row.get("number") for row in lines(tmp_path / "b.jsonl")] == [None, 3]


async def test_har_ties_requests_to_their_answers(recording: Path, tmp_path: Path) -> None:
    with Recording(recording) as source:
        export(source, range(1, len(source.log) + 1), Format.HAR, tmp_path / "a.har")
        log = json.loads((tmp_path / "a.har").read_text())["log"]
        requests = [n for n in range(1, len(source.log) + 1) if not source.log.view(n - 1).reply_to]
        assert log["version"] == "1.2" and len(log["entries"]) == len(requests)
        texts = {entry["request"]["postData"]["text"] for entry in log["entries"]}
        assert texts == {source.body(n).decode() for n in requests}
        for entry in log["entries"]:
            assert entry["request"]["method"] == "POST" and "/OpenADR2/Simple/2.0b/" in entry["request"]["url"]
            assert entry["response"]["status"] == 200
            assert set(entry) >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        export(source, [1], Format.HAR, tmp_path / "b.har")
        (alone,) = json.loads((tmp_path / "b.har").read_text())["log"]["entries"]
        assert alone["response"]["status"] == 0


async def test_a_folder_holds_each_body_and_an_index(recording: Path, tmp_path: Path) -> None:
    with Recording(recording) as source:
        export(source, range(1, 21), Format.XML, tmp_path / "xml")
        index = lines(tmp_path / "xml" / "index.jsonl")
        assert len(index) == 20
        for row in index:
            assert (tmp_path / "xml" / str(row["file"])).read_bytes() == source.body(int(str(row["number"])))
        with pytest.raises(StoreError, match="exists already"):
            export(source, [1], Format.XML, tmp_path / "xml", replacing=True)


async def test_csv_holds_the_telemetry_of_the_time(recording: Path, tmp_path: Path) -> None:
    with Recording(recording) as source:
        export(source, range(1, len(source.log) + 1), Format.CSV, tmp_path / "a.csv")
        with (tmp_path / "a.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(source.points()) > 3
        values = [point.fact.value for point in source.points()]  # type: ignore[attr-defined]
        assert [float(row["value"]) for row in rows] == values
        assert {row["unit"] for row in rows} == {"W"}
    assert cell("=cmd()") == "'=cmd()" and cell("W") == "W"


def everything(path: Path) -> str:
    """All text of a file or folder, names included."""
    if not path.is_dir():
        return path.read_bytes().decode("utf-8", "replace")
    files = sorted(each for each in path.rglob("*") if each.is_file())
    return "".join(f"{each.name}\n{each.read_bytes().decode('utf-8', 'replace')}\n" for each in files)


@pytest.mark.parametrize("form", [Format.JSONL, Format.HAR, Format.XML, Format.CSV])
async def test_redacted_nothing_tells_who_it_was(recording: Path, tmp_path: Path, form: Format) -> None:
    with Recording(recording) as source:
        numbers = range(1, len(source.log) + 1)
        export(source, numbers, form, tmp_path / "open")
        export(source, numbers, form, tmp_path / "hidden", redact=True)
        export(source, numbers, form, tmp_path / "again", redact=True)
    told, hidden = everything(tmp_path / "open"), everything(tmp_path / "hidden")
    assert sum(secret in told for secret in SECRETS) >= 3
    assert [secret for secret in SECRETS if secret in hidden] == leftovers(hidden)
    assert hidden == everything(tmp_path / "again")


def leftovers(text: str) -> list[str]:
    """``request-`` and ``registration-`` are stems of pseudonyms too; eight hexadecimal digits make a secret."""
    assert not re.search(r"(?:request|registration|report|signal)-[0-9a-f]{8}", text)
    return [stem for stem in ("registration-", "request-") if stem in text]


async def test_a_redacted_recording_is_a_recording_with_the_same_story(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "hidden.oadrrec"
    with Recording(recording) as source:
        export(source, range(1, len(source.log) + 1), Format.RECORDING, out, redact=True)
        raw = b"".join(each.read_bytes() for each in tmp_path.glob("hidden*"))
        assert not any(secret.encode() in raw for secret in SECRETS[:5])
        before = RecordedDesk(Recording(recording), VirtualClock(), UTC)
        after = RecordedDesk(Recording(out), VirtualClock(), UTC)
        assert len(after.messages) == len(before.messages)
        (old,), (new,) = before.vens(), after.vens()
        assert (new.ven_id, new.name) == ("ven-1", "name-1") != (old.ven_id, old.name)
        assert [(e.event.status, e.vens[0].opt_type) for e in after.events()] == [
            (e.event.status, e.vens[0].opt_type) for e in before.events()
        ]
        assert after.events()[0].vens[0].ven_id == new.ven_id
        for number in range(1, len(before.messages) + 1):
            was, now = codec.dissect(source.body(number)), codec.dissect(after.recording.body(number))
            assert (now.element, now.valid) == (was.element, was.valid)
            if b"venID>ven-rosa<" in was.body:
                assert f"venID>{new.ven_id}<".encode() in now.body
        before.close()
        after.close()


def test_addresses_certificates_and_signatures_go_from_any_body() -> None:
    redactor = Redactor()
    certificate = "MIIB" + "Qk3+/" * 60
    signed = (
        '<p xmlns="http://openadr.org/x"><!-- call 10.1.2.3 --><ds:Signature xmlns:ds="u"><ds:X509Certificate>'
        f"{certificate}</ds:X509Certificate></ds:Signature><venID>v&amp;x</venID>"
        "<oadrTransportAddress>https://ven.site.example:8443/OpenADR2/Simple/2.0b</oadrTransportAddress>"
        "<responseDescription>ask Jane</responseDescription><value>7.5</value><venID><![CDATA[v&x]]></venID></p>"
    ).encode()
    redactor.learn_body(signed)
    text = redactor.body(signed).decode()
    for secret in ("10.1.2.3", "Qk3+", "v&amp;x", "site.example", "Jane"):
        assert secret not in text
    assert text.count("<venID>ven-1</venID>") == 2
    assert "https://host-1:8443/OpenADR2/Simple/2.0b" in text and "<value>7.5</value>" in text
    assert 'xmlns="http://openadr.org/x"' in text
    assert redactor.body(b"from 10.1.2.3 and 10.1.2.3:99, AA:BB:CC:DD:EE:FF:00:11:22:33") == (
        b"from host-2 and host-2:99, fingerprint-1"
    )
    assert redactor.text("v&x said so. And v&x.") == "ven-1 said so. And ven-1."
    assert redactor.body("<a>é</a>".encode("latin-1")) == "<a>é</a>".encode("latin-1")


async def test_one_that_is_cancelled_or_impossible_leaves_nothing(recording: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled

    with Recording(recording) as source:
        for form in Format:
            with pytest.raises(Cancelled):
                export(source, range(1, len(source.log) + 1), form, tmp_path / "out", redact=True, progress=stop)
        with pytest.raises(StoreError, match="no message to export"):
            export(source, [], Format.JSONL, tmp_path / "out")
        with pytest.raises(OSError, match="No such file"):
            export(source, [1], Format.JSONL, tmp_path / "none" / "out")
    assert [each.name for each in tmp_path.iterdir()] == ["source"]
