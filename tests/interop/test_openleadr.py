"""OpenLEADR 0.5.36 at the other end of the wire, as a separate process, nothing special-cased for it."""

from __future__ import annotations

from pathlib import Path

EVENT = """
market_context = "http://example.com/programme"
start = "+4s"
duration = "10m"
signal = "LOAD_DISPATCH"
type = "setpoint"
unit = "kW"
notification = "3s"

[[interval]]
duration = "10m"
value = 7
"""


def fact(name, **members):
    return lambda line: line.get("fact") == name and all(line.get(key) == value for key, value in members.items())


def saw(name, **members):
    return lambda line: line.get("saw") == name and all(line.get(key) == value for key, value in members.items())


def test_its_ven_registers_answers_an_event_and_reports_in_the_right_unit(nodebench, openleadr, tmp_path: Path):
    event = tmp_path / "event.toml"
    event.write_text(EVENT)
    vtn = nodebench("vtn", "--host", "127.0.0.1", "--port", "0", "--poll-frequency", "1s", "--event", event,
                    "--request-reports", "--store", tmp_path / "vtn.oadrrec", "--json")  # fmt: skip
    url = vtn.wait_for(fact("listening"))["url"]
    ven = openleadr("openleadr_ven.py", url, "ven-olr")

    registered = vtn.wait_for(fact("registered", ven_name="ven-olr"))
    ven_id = registered["ven_id"]
    assert ven.wait_for(saw("registration"))["ven_id"] == ven_id

    received = ven.wait_for(saw("event"))
    assert received["signal"] == "LOAD_DISPATCH"
    assert received["notification"] == 3.0
    assert received["duration"] == 600.0
    assert received["value"] == 7000.0

    opt = vtn.wait_for(fact("opt", ven_id=ven_id))
    assert opt["opt_type"] == "optIn"
    assert opt["event_id"] == received["event_id"]
    vtn.wait_for(fact("event", event_id=opt["event_id"], status="active", ven_id=ven_id))

    report = vtn.wait_for(fact("report", ven_id=ven_id))
    assert report["unit"] == "W"
    assert report["value"] == 4250.0
    assert vtn.wait_for(fact("presence", ven_id=ven_id))["state"] == "ok"
    assert vtn.interrupt() == 0
    vtn.wait_for(fact("closed"))


def test_our_ven_registers_with_its_vtn_answers_an_event_and_sends_what_it_asked_for(
    nodebench, openleadr, free_port, tmp_path: Path
):
    vtn = openleadr("openleadr_vtn.py", str(free_port))
    url = vtn.wait_for(saw("listening"))["url"]
    site = Path(__file__).parents[2] / "resources" / "sites" / "demo.toml"
    ven = nodebench("ven", "--vtn", url, "--name", "ven-nb", "--site", site, "--store", tmp_path / "ven.oadrrec",
                    "--json")  # fmt: skip

    assert ven.wait_for(fact("registered"))["ven_id"] == "id-of-ven-nb"
    vtn.wait_for(saw("registration", ven_name="ven-nb"))
    event = ven.wait_for(fact("event", event_id="olr-1"))
    assert event["signal"] == "LOAD_DISPATCH"
    assert vtn.wait_for(saw("opt", event_id="olr-1"))["opt_type"] == "optIn"
    ven.wait_for(fact("event", event_id="olr-1", status="active"))

    # The VTN answers status reports with 500; the usage reports have to go on all the same.
    assert vtn.wait_for(saw("offer", measurement="RealPower"))["unit"] == "W"
    for _ in range(3):
        assert isinstance(vtn.wait_for(saw("report"))["value"], float)
        vtn.seen.clear()
    ven.wait_for(fact("device"))
    assert ven.interrupt() == 0
