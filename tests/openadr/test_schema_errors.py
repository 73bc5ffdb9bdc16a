"""Every error of a message is listed, each in a sentence with its place."""

from __future__ import annotations

from console.openadr import schema
from console.openadr.codec import dissect
from console.openadr.findings import Finding

HEAD = (
    '<oadr:oadrPayload xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07"'
    ' xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"'
    ' xmlns:pyld="http://docs.oasis-open.org/ns/energyinterop/201110/payloads"><oadr:oadrSignedObject>\n'
)
TAIL = "\n</oadr:oadrSignedObject></oadr:oadrPayload>"


def errors_of(payload: str) -> list[Finding]:
    tree = dissect((HEAD + payload + TAIL).encode()).tree
    assert tree is not None
    return schema.errors(tree)


def test_four_errors_under_one_parent_are_four_findings():
    """libxml names the first one only."""
    found = errors_of(
        """<oadr:oadrCancelReport ei:schemaVersion="2.0b">
<ei:venID>v</ei:venID>
<ei:reportRequestID>r</ei:reportRequestID>
<pyld:reportToFollow>perhaps</pyld:reportToFollow>
<ei:venid>v</ei:venid>
</oadr:oadrCancelReport>"""
    )
    assert [(finding.line, finding.text) for finding in found] == [
        (2, "oadr:oadrCancelReport lacks pyld:requestID; it belongs before ei:reportRequestID."),
        (3, "ei:venID came before ei:reportRequestID; the schema wants ei:reportRequestID first."),
        (5, "pyld:reportToFollow is 'perhaps'; it should be true or false."),
        (6, "ei:venid may not stand in oadr:oadrCancelReport; ei:venID may be meant."),
    ]


def test_a_finding_knows_its_path_element_and_clause():
    (finding,) = errors_of(
        '<oadr:oadrResponse ei:schemaVersion="2.0b"><ei:eiResponse><ei:responseCode>OK'
        "</ei:responseCode><pyld:requestID/></ei:eiResponse></oadr:oadrResponse>"
    )
    assert finding.path == "oadrPayload/oadrSignedObject/oadrResponse/eiResponse/responseCode"
    assert (finding.element, finding.clause, finding.rule) == ("ei:responseCode", "6.6", "schema")
    assert finding.text == "ei:responseCode is 'OK'; it should be three digits such as 200."


def test_repeated_siblings_are_numbered():
    (finding,) = errors_of(
        '<oadr:oadrCancelReport ei:schemaVersion="2.0b"><pyld:requestID>q</pyld:requestID><ei:reportRequestID>a'
        "</ei:reportRequestID><ei:reportRequestID><b/></ei:reportRequestID><pyld:reportToFollow>true"
        "</pyld:reportToFollow></oadr:oadrCancelReport>"
    )
    assert finding.path.endswith("/reportRequestID[2]")


def test_one_element_out_of_place_is_one_finding():
    """The one that has to move is named, not all those it jumped over."""
    found = errors_of(
        '<oadr:oadrCreatePartyRegistration ei:schemaVersion="2.0b"><oadr:oadrXmlSignature>false</oadr:oadrXmlSignature>'
        "<pyld:requestID>q</pyld:requestID><oadr:oadrProfileName>2.0b</oadr:oadrProfileName>"
        "<oadr:oadrTransportName>simpleHttp</oadr:oadrTransportName><oadr:oadrReportOnly>false</oadr:oadrReportOnly>"
        "</oadr:oadrCreatePartyRegistration>"
    )
    assert [finding.text for finding in found] == [
        "oadr:oadrXmlSignature came before pyld:requestID; the schema wants pyld:requestID first."
    ]


def test_doubled_elements_and_stray_text():
    found = errors_of(
        '<oadr:oadrPoll ei:schemaVersion="2.0b">hello<ei:venID>a</ei:venID><ei:venID>b</ei:venID></oadr:oadrPoll>'
    )
    assert {finding.text for finding in found} == {
        "The text 'hello' stands where only elements may.",
        "ei:venID stands 2 times in oadr:oadrPoll; only one is allowed.",
    }


def test_a_wrong_namespace_is_recognised():
    (first, second) = errors_of('<oadr:oadrPoll ei:schemaVersion="2.0b"><oadr:venID>a</oadr:venID></oadr:oadrPoll>')
    assert "ei:venID may be meant" in second.text + first.text
    assert "lacks ei:venID" in second.text + first.text


def test_a_hostile_number_of_errors_is_cut_short():
    strangers = "".join(f"<x{number}/>" for number in range(1000))
    found = errors_of(f'<oadr:oadrPoll ei:schemaVersion="2.0b">{strangers}</oadr:oadrPoll>')
    assert len(found) == schema.MOST + 1
    assert "more schema errors" in found[-1].text


def test_strangers_of_one_name_are_counted():
    found = errors_of(f'<oadr:oadrPoll ei:schemaVersion="2.0b">{"<x/>" * 1000}</oadr:oadrPoll>')
    texts = [finding.text for finding in found]
    assert len(found) < 30
    assert any("1000 times" in text for text in texts)
    assert any("lacks ei:venID" in text for text in texts)
