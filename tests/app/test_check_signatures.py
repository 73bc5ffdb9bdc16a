"""``nodebench check`` on signed messages: form and arithmetic of the signature are judged with everything else."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.app.check import ERRORS, NO_ERRORS, check_paths
from console.openadr import codec
from console.openadr.model import OadrPoll
from console.security.authority import KeyKind, issue, new_authority
from console.security.signing import OBJECT_ID, sign

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def poll() -> bytes:
    ven = issue(new_authority(KeyKind.ECC, NOW), "ven", "VEN", KeyKind.ECC, NOW)
    return sign(codec.write(OadrPoll(ven_id="ven-1"), object_id=OBJECT_ID), ven, NOW)


def checked(file: Path) -> tuple[int, dict]:
    out = io.StringIO()
    code = check_paths([str(file)], as_json=True, out=out)
    return code, json.loads(out.getvalue())


def test_a_good_signature_is_told_and_is_no_error(poll: bytes, tmp_path: Path):
    file = tmp_path / "poll.xml"
    file.write_bytes(poll)
    code, told = checked(file)
    assert (code, told["signature"]) == (NO_ERRORS, "valid")
    assert [finding["severity"] for finding in told["findings"]] == ["info"]
    out = io.StringIO()
    check_paths([str(file)], out=out)
    assert ", schema-valid, signature valid: " in out.getvalue()


def test_a_changed_message_is_an_error_by_rule_514(poll: bytes, tmp_path: Path):
    file = tmp_path / "poll.xml"
    file.write_bytes(poll.replace(b"ven-1<", b"ven-2<"))
    code, told = checked(file)
    assert (code, told["signature"]) == (ERRORS, "not valid")
    (error,) = [finding for finding in told["findings"] if finding["severity"] == "error"]
    assert error["rule"] == "514"
    assert error["path"] == "oadrPayload/oadrSignedObject"
    assert error["line"] > 0


def test_without_a_signature_there_is_no_verdict_on_one(tmp_path: Path):
    file = tmp_path / "poll.xml"
    file.write_bytes(codec.write(OadrPoll(ven_id="ven-1")))
    assert checked(file)[1]["signature"] is None
