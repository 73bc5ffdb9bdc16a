"""Push against peers on bare aiohttp, written from the standard and importing nothing of ours."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.interop.conftest import PEERS
from tests.interop.test_openleadr import EVENT, fact, saw


def test_our_vtn_pushes_to_a_bare_ven(nodebench, start, tmp_path: Path):
    event = tmp_path / "event.toml"
    event.write_text(EVENT)
    vtn = nodebench("vtn", "--host", "127.0.0.1", "--port", "0", "--event", event, "--json")
    ven = start(sys.executable, PEERS / "push_ven.py", vtn.wait_for(fact("listening"))["url"], "bare-ven")

    registered = ven.wait_for(saw("registration"))
    assert (registered["status"], registered["poll"]) == (200, "")
    assert registered["ven_id"] == vtn.wait_for(fact("registered", ven_name="bare-ven"))["ven_id"]

    metadata = ven.wait_for(saw("push", element="oadrRegisterReport"))
    assert (metadata["service"], metadata["type"]) == ("EiReport", "application/xml")
    assert (metadata["coded"], metadata["chunked"]) == ("", "")
    pushed = ven.wait_for(saw("push", element="oadrDistributeEvent"))
    assert pushed["service"] == "EiEvent"
    assert ven.wait_for(saw("event"))["modification"] == "0"
    assert ven.wait_for(saw("answer", to="oadrCreatedEvent"))["code"] == "200"
    assert vtn.wait_for(fact("opt"))["opt_type"] == "optIn"
    assert vtn.wait_for(fact("presence", ven_id=registered["ven_id"]))["state"] == "ok"
    assert vtn.interrupt() == 0
    vtn.wait_for(fact("closed"))
    assert not [line for line in vtn.seen if line.get("fact") == "finding" and line.get("severity") == "error"]


def test_a_bare_vtn_pushes_to_our_ven(nodebench, start, free_port):
    vtn = start(sys.executable, PEERS / "push_vtn.py", str(free_port))
    url = vtn.wait_for(saw("listening"))["url"]
    ven = nodebench("ven", "--vtn", url, "--name", "ven-p", "--push", "--json")

    registration = vtn.wait_for(saw("registration"))
    assert registration["pull"] == "false"
    assert registration["address"].startswith("http://127.0.0.1:")
    assert vtn.wait_for(saw("pushed", element="oadrRegisterReport"))["answer"] == "oadrRegisteredReport"
    event = vtn.wait_for(saw("pushed", element="oadrDistributeEvent"))
    assert (event["status"], event["length"]) == (200, 0)
    assert vtn.wait_for(saw("opt", modification="0"))["opt_type"] == "optIn"
    assert vtn.wait_for(saw("opt", modification="1"))["opt_type"] == "optIn"
    vtn.wait_for(saw("done"))
    assert ven.wait_for(fact("event", event_id="ev-p"))["signal"] == "SIMPLE"
    assert not [line for line in vtn.seen if line.get("element") == "oadrPoll"]
    assert ven.interrupt() == 0
