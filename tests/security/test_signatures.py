"""Rule 514 and 10.6: what we sign verifies, here and elsewhere; what others sign does; nothing tampered with does."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.verifier import XMLVerifier

from console.openadr import codec
from console.openadr.elements import NAMESPACES, Node
from console.openadr.findings import Severity
from console.openadr.verdicts import SignatureVerdict
from console.security.authority import KeyKind, issue, new_authority
from console.security.keys import Identity
from console.security.replay import Nonces, Taken, Window
from console.security.signing import Signer, SigningError, sign
from console.security.trust import Trust
from console.security.verification import Verifier, VerifierSettings, verify
from tests.openadr.full_messages import full_messages
from tests.security.forging import (
    C14N,
    EXCLUSIVE,
    MORE,
    NOW,
    changed,
    find,
    resigned,
    signed,
    text,
    tree,
    value_of,
    written,
)

DS = f"{{{NAMESPACES['ds']}}}"
OADR = f"{{{NAMESPACES['oadr']}}}"
ACCEPTS_ALL = VerifierSettings(sha1=True, exclusive=True)


def errors(verdict: SignatureVerdict) -> list[str]:
    return [finding.text for finding in verdict.findings if finding.severity is Severity.ERROR]


def refused(body: bytes, trust: Trust, told: str, options: VerifierSettings | None = None) -> None:
    """The signature does not count, and one of the reasons given is ``told``."""
    verdict = verify(body, trust, NOW, settings=options or VerifierSettings())
    assert verdict.signed and not verdict.valid
    assert any(told in error for error in errors(verdict)), verdict.findings


# What we sign --------------------------------------------------------------------------------------------------------


def test_every_payload_signed_here_verifies_here_and_keeps_its_meaning(ven: Identity, trust: Trust):
    signer = Signer(ven)
    for root in full_messages():
        message = codec.dissect(etree.tostring(root)).message
        assert message is not None
        body = signer.sign(written(message), NOW)
        verdict = verify(body, trust, NOW)
        assert verdict.valid and not verdict.findings, (type(message).__name__, verdict.findings)
        read = codec.dissect(body)
        assert read.valid and read.signed
        assert read.message == message


def test_signxml_agrees(ven: Identity):
    for message in (codec.dissect(etree.tostring(root)).message for root in full_messages()):
        assert message is not None
        body = signed(ven, message)
        XMLVerifier().verify(tree(body), x509_cert=ven.certificate.x509, expect_references=2)


def test_the_verdict_tells_who_signed_what_how_and_when(ven: Identity, trust: Trust):
    verdict = Verifier(trust).verify(signed(ven), NOW + timedelta(seconds=3), keep_canonical=True)
    assert verdict.algorithm == ("rsa-sha256" if ven.certificate.key_words == "RSA 2048" else "ecdsa-sha256")
    assert (verdict.fingerprint, verdict.subject) == (ven.certificate.fingerprint, ven.certificate.subject)
    assert [(part.uri, part.element, part.digest_method, part.matches) for part in verdict.references] == [
        ("#oadrSignedObject", "oadr:oadrSignedObject", "sha256", True),
        ("#prop", "ds:Object", "sha256", True),
    ]
    assert verdict.references[0].canonical.startswith(b"<oadr:oadrSignedObject xmlns:ei=")
    assert verdict.signed_text.startswith(b"<ds:SignedInfo xmlns:ds=")
    assert verdict.replay is not None
    assert (verdict.replay.timestamp, verdict.replay.nonce) == (NOW, "nonce-1")
    assert verdict.replay.age == timedelta(seconds=3)


def test_canonical_bytes_are_kept_on_request_only(ven: Identity, trust: Trust):
    verdict = verify(signed(ven), trust, NOW)
    assert not verdict.signed_text
    assert not any(part.canonical for part in verdict.references)


def test_what_is_signed_stands_in_the_message_as_it_was(ven: Identity):
    body = written()
    head, rest = body[: body.index(b"<oadr:oadrSignedObject")], body[body.index(b"<oadr:oadrSignedObject") :]
    made = signed(ven)
    assert made.startswith(head + b"<ds:Signature ")
    assert made.endswith(b"</ds:Signature>" + rest)


def test_the_time_is_that_of_sending_and_every_nonce_is_new(ven: Identity):
    signer = Signer(ven)
    first, second = (signer.sign(written(), NOW + timedelta(milliseconds=1250)) for _ in range(2))
    assert b"<dsp:timestamp>2026-06-01T12:00:01.250Z</dsp:timestamp>" in first
    nonces = {find(tree(body), ".//dsp:nonce").text for body in (first, second)}
    assert len(nonces) == 2
    assert all(nonce and len(nonce) == 32 for nonce in nonces)


def test_a_chain_is_sent_along_and_followed():
    root = new_authority(KeyKind.ECC, NOW)
    ven = issue(root, "ven", "VEN", KeyKind.ECC, NOW)
    body = sign(written(), Identity(ven.key, ven.certificate, (root.certificate,)), NOW)
    assert body.count(b"<ds:X509Certificate>") == 2
    verdict = verify(body, Trust([root.certificate]), NOW)
    assert verdict.valid
    assert verdict.fingerprint == ven.certificate.fingerprint


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no oadrPayload"),
        (b"<oadrPayload>", "no oadrSignedObject with an oadr:Id"),
        (codec.write(codec.dissect(written()).message), "no oadrSignedObject with an oadr:Id"),  # type: ignore[arg-type]
        (written().replace(b"oadr:Id=", b"Id="), "not oadr:Id"),
        (written().replace(b'"oadrSignedObject"', b'"prop"'), "with an oadr:Id that a signature could refer to"),
        (written().replace(b'"oadrSignedObject"', b'"a\' b"'), "with an oadr:Id that a signature could refer to"),
        (written()[:-5], "not well-formed"),
        (written().replace(b"<oadr:oadrPayload", b'<oadr:oadrPayload xml:lang="en"'), "attribute of the xml namespace"),
        (written().replace(b"<oadr:oadrPayload", b"<!--<oadrPayload>--><oadr:oadrPayload"), "signed already"),
    ],
)
def test_what_cannot_be_signed_is_told(body: bytes, told: str, other_ven: Identity):
    with pytest.raises(SigningError, match=told):
        sign(body, other_ven, NOW)


def test_nothing_is_signed_twice(other_ven: Identity):
    with pytest.raises(SigningError, match="signed already"):
        sign(signed(other_ven), other_ven, NOW)


# What others sign ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["rsa_oadrPoll", "rsa_oadrDistributeEvent", "rsa_oadrUpdateReport", "ec_oadrUpdateReport"]
)
def test_messages_signed_by_openleadr_verify(name: str, shared: Path):
    body = (shared / "corpus" / "2.0b" / "generated-openleadr" / f"signed_{name}.xml").read_bytes()
    verdict = verify(body, None)
    assert verdict.valid, verdict.findings
    assert [part.matches for part in verdict.references] == [True, True]
    assert not verify(body.replace(b"</ei:venID>", b" </ei:venID>").replace(b"</ei:rID>", b" </ei:rID>"), None).valid


def test_without_an_authority_the_verdict_says_so(ven: Identity):
    verdict = verify(signed(ven), None, NOW)
    assert verdict.valid
    assert "no authority was given" in verdict.findings[-1].text


def test_an_unsigned_message_counts_only_where_signatures_are_not_required(trust: Trust):
    verdict = verify(written(), trust, NOW)
    assert (verdict.signed, verdict.valid) == (False, False)
    assert "not signed" in errors(verdict)[0]
    assert verify(written(), trust, NOW, settings=VerifierSettings(required=False)).valid


@pytest.mark.parametrize(
    "body", [b"", b"no xml", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff\xfe<\0", b"<a>" * 300 + b"</a>" * 300]
)
def test_what_cannot_be_read_is_not_valid(body: bytes, trust: Trust):
    assert not verify(body, trust, NOW).valid


# Tampering -----------------------------------------------------------------------------------------------------------

SIGNED_PARTS = ("oadr:oadrSignedObject", "ds:Signature/ds:SignedInfo", "ds:Signature/ds:Object")


@pytest.mark.parametrize("part", SIGNED_PARTS)
@pytest.mark.parametrize("element", ["oadrCancelOpt", pytest.param("oadrDistributeEvent", marks=pytest.mark.slow)])
def test_no_element_or_attribute_of_what_is_signed_can_be_changed(element: str, part: str, vens, trust: Trust):
    full = next(read for read in map(codec.dissect, map(etree.tostring, full_messages())) if read.element == element)
    assert full.message is not None
    body = signed(vens[KeyKind.ECC], full.message)
    count = len(list(find(tree(body), part).iter()))
    assert count >= 5
    for index in range(count):
        for name, change in _changes().items():
            root = tree(body)
            node = list(find(root, part).iter())[index]
            if change(node) is False:
                continue
            assert not verify(text(root), trust, NOW).valid, (part, index, node.tag, name)


def _changes() -> dict[str, Callable[[Node], object]]:
    def retext(node: Node) -> object:
        node.text = (node.text or "") + "0"

    def retail(node: Node) -> object:
        node.tail = (node.tail or "") + " "
        # After the part itself lies what is not signed.
        return node.getparent().tag not in (f"{OADR}oadrPayload", f"{DS}Signature")  # type: ignore[union-attr]

    def attribute(node: Node) -> object:
        for name, value in node.attrib.items():
            node.set(name, value + "0")
        return bool(node.attrib)

    def unattribute(node: Node) -> object:
        had = bool(node.attrib)
        node.attrib.clear()
        return had

    def add_attribute(node: Node) -> object:
        node.set("added", "1")

    def drop(node: Node) -> object:
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)

    def rename(node: Node) -> object:
        node.tag = f"{node.tag}0"

    def add(node: Node) -> object:
        etree.SubElement(node, "{http://example.com}added")

    def double(node: Node) -> object:
        node.addnext(copy.deepcopy(node))

    return {
        made.__name__: made
        for made in (retext, retail, attribute, unattribute, add_attribute, drop, rename, add, double)
    }


def test_the_value_and_the_certificate_cannot_be_changed(ven: Identity, other_ven: Identity, trust: Trust):
    body = signed(ven)

    def flipped(path: str) -> Callable[[Node], object]:
        def flip(root: Node) -> None:
            node = find(root, path)
            octets = bytearray(base64.b64decode(node.text or ""))
            octets[len(octets) // 2] ^= 1
            node.text = base64.b64encode(octets).decode()

        return flip

    refused(changed(body, flipped(".//ds:SignatureValue")), trust, "was not made by the key of")
    assert not verify(changed(body, flipped(".//ds:X509Certificate")), trust, NOW).valid

    def other_certificate(root: Node) -> None:
        find(root, ".//ds:X509Certificate").text = base64.b64encode(other_ven.certificate.der).decode()

    assert not verify(changed(body, other_certificate), trust, NOW).valid


def test_comments_neither_help_nor_hide(ven: Identity, trust: Trust):
    """They are no part of what is signed, nor of what is read."""
    body = signed(ven).replace(b"<dsp:nonce>nonce-1", b"<dsp:nonce>non<!-- x -->ce-1")
    body = body.replace(b"<ei:venID>ven-1", b"<ei:venID>ven<!-- 2 -->-1")
    verdict = verify(body, trust, NOW)
    assert verdict.valid
    assert verdict.replay is not None and verdict.replay.nonce == "nonce-1"
    read = codec.dissect(body).message
    assert read is not None and read.ven_id == "ven-1"  # type: ignore[attr-defined]
    refused(signed(ven).replace(b"<ei:venID>", b"<ei:venID><?a b?>"), trust, "is not what was signed")


def test_comments_count_where_the_signature_says_so(ven: Identity, trust: Trust):
    def with_comments(root: Node) -> None:
        find(root, ".//ds:CanonicalizationMethod").set("Algorithm", C14N + "#WithComments")
        find(root, ".//ds:SignedInfo").append(etree.Comment("signed too"))

    body = resigned(signed(ven), ven, with_comments)
    assert verify(body, trust, NOW).valid
    refused(body.replace(b"signed too", b"signed, too"), trust, "was not made by the key of")


def test_a_reference_by_id_is_without_comments_whatever_its_transform_says(ven: Identity, trust: Trust):
    """XML Signature 4.4.3.3: only XPointers keep them."""

    def with_comments(root: Node) -> None:
        for transform in root.findall(".//ds:Transform", NAMESPACES):
            transform.set("Algorithm", C14N + "#WithComments")

    body = resigned(signed(ven), ven, with_comments)
    assert verify(body.replace(b"<ei:venID>ven-1", b"<ei:venID><!-- x -->ven-1"), trust, NOW).valid


def test_the_signature_of_another_message_does_not_fit(ven: Identity, trust: Trust):
    poll, other = signed(ven), signed(ven, codec.dissect(written().replace(b"ven-1", b"ven-2")).message)  # type: ignore[arg-type]
    a, b = tree(poll), tree(other)
    b.replace(b[0], a[0])
    refused(text(b), trust, "oadr:oadrSignedObject is not what was signed")


def test_a_message_indented_after_signing_is_told_so(ven: Identity, trust: Trust):
    body = changed(signed(ven), lambda root: etree.indent(root))
    refused(body, trust, "changed, indented or given other namespace declarations")


def test_a_declaration_added_around_what_is_signed_breaks_it(ven: Identity, trust: Trust):
    body = signed(ven).replace(b"<oadr:oadrPayload", b'<oadr:oadrPayload xmlns:new="http://example.com"')
    refused(body, trust, "is not what was signed")


# Wrapping ------------------------------------------------------------------------------------------------------------


def forged_object() -> Node:
    return tree(written().replace(b"ven-1", b"attacker"))[0]


def wrap_in_signature(root: Node) -> None:
    """The genuine object goes into a ds:Object of its own; a forged one, without Id, takes its place."""
    genuine = root[1]
    forged = forged_object()
    del forged.attrib[f"{OADR}Id"]
    root.replace(genuine, forged)
    etree.SubElement(root[0], f"{DS}Object").append(genuine)


def wrap_with_same_id(root: Node) -> None:
    genuine = root[1]
    root.replace(genuine, forged_object())
    etree.SubElement(root[0], f"{DS}Object").append(genuine)


def second_object(root: Node) -> None:
    forged = forged_object()
    del forged.attrib[f"{OADR}Id"]
    root.append(forged)


def first_object(root: Node) -> None:
    forged = forged_object()
    del forged.attrib[f"{OADR}Id"]
    root.insert(1, forged)


def nested_object(root: Node) -> None:
    genuine = root[1]
    forged = forged_object()
    del forged.attrib[f"{OADR}Id"]
    root.replace(genuine, forged)
    forged.append(genuine)


def second_signature(root: Node) -> None:
    root.insert(1, copy.deepcopy(root[0]))


def signature_elsewhere(root: Node) -> None:
    root[1][0].append(root[0])


def other_element_with_the_id(root: Node) -> None:
    root[1][0].set("Id", "oadrSignedObject")


def key_info_with_the_id(root: Node) -> None:
    find(root, ".//ds:KeyInfo").set("Id", "oadrSignedObject")


def signature_takes_the_id(root: Node) -> None:
    root[0].set("Id", "oadrSignedObject")


def signature_without_ids(root: Node) -> None:
    """A second signature that no Id gives away."""
    second = copy.deepcopy(root[0])
    second.remove(find(second, "ds:Object"))
    root.insert(1, second)


def key_info_behind_with_the_id(root: Node) -> None:
    """Who takes the first element with the Id finds the genuine object; others might not."""
    root.append(root[0])
    find(root, ".//ds:KeyInfo").set("Id", "oadrSignedObject")


@pytest.mark.parametrize(
    ("wrap", "told"),
    [
        (wrap_in_signature, "One oadrSignedObject is to stand in oadrPayload; there are 2"),
        (wrap_with_same_id, "One oadrSignedObject is to stand in oadrPayload; there are 2"),
        (second_object, "One oadrSignedObject is to stand in oadrPayload; there are 2"),
        (first_object, "One oadrSignedObject is to stand in oadrPayload; there are 2"),
        (nested_object, "One oadrSignedObject is to stand in oadrPayload; there are 2"),
        (second_signature, "2 signatures"),
        (signature_without_ids, "2 signatures"),
        (signature_elsewhere, "does not stand in oadrPayload beside"),
        (other_element_with_the_id, "2 elements have that Id"),
        (key_info_with_the_id, "2 elements have that Id"),
        (key_info_behind_with_the_id, "2 elements have that Id"),
        (signature_takes_the_id, "2 elements have that Id"),
    ],
)
def test_wrapping_is_refused(wrap: Callable[[Node], object], told: str, ven: Identity, trust: Trust):
    refused(changed(signed(ven), wrap), trust, told)


def test_a_root_that_is_no_envelope_is_refused(ven: Identity, trust: Trust):
    root = tree(signed(ven))
    outer = etree.Element("{http://example.com}outer")
    outer.append(root)
    refused(text(outer), trust, "does not stand in oadrPayload beside oadrSignedObject")


@pytest.mark.parametrize("drop", [0, 1])
def test_both_references_are_needed(drop: int, ven: Identity, trust: Trust):
    def dropped(root: Node) -> None:
        info = find(root, ".//ds:SignedInfo")
        info.remove(info.findall(f"{DS}Reference")[drop])

    told = "The oadrSignedObject is not what the signature covers" if drop == 0 else "time and nonce could be forged"
    refused(resigned(signed(ven), ven, dropped), trust, told)


def test_a_reference_to_the_payload_alone_does_not_cover_the_object(ven: Identity, trust: Trust):
    def payload_only(root: Node) -> None:
        root[1][0].set("Id", "payload")
        find(root, ".//ds:Reference").set("URI", "#payload")

    refused(resigned(signed(ven), ven, payload_only), trust, "is not what the signature covers")


def test_a_reference_to_the_property_covers_what_counts(ven: Identity, trust: Trust):
    def property_only(root: Node) -> None:
        find(root, ".//ds:SignatureProperty").set("Id", "property")
        root.findall(".//ds:Reference", NAMESPACES)[1].set("URI", "#property")

    verdict = verify(resigned(signed(ven), ven, property_only), trust, NOW)
    assert verdict.valid
    assert "not the whole ds:Object" in verdict.findings[0].text


@pytest.mark.parametrize(
    "uri", ["", "http://127.0.0.1/x", "file:///etc/hostname", "#xpointer(/)", "#", "oadrSignedObject"]
)
def test_references_to_elsewhere_are_refused_and_not_followed(uri: str, ven: Identity, trust: Trust):
    body = resigned(signed(ven), ven, lambda root: find(root, ".//ds:Reference").set("URI", uri))
    refused(body, trust, "only #Id of an element of the message is allowed")


def test_a_reference_to_an_id_nobody_has_is_refused(ven: Identity, trust: Trust):
    body = resigned(signed(ven), ven, lambda root: find(root, ".//ds:Reference").set("URI", "#nobody"))
    refused(body, trust, "no element has that Id")


def test_a_third_reference_is_odd_and_a_fifth_too_much(ven: Identity, trust: Trust):
    def more(root: Node, count: int) -> None:
        info = find(root, ".//ds:SignedInfo")
        for _ in range(count):
            info.append(copy.deepcopy(info[-1]))

    verdict = verify(resigned(signed(ven), ven, lambda root: more(root, 1)), trust, NOW)
    assert verdict.valid and "3 references" in verdict.findings[0].text
    refused(resigned(signed(ven), ven, lambda root: more(root, 3)), trust, "5 references")


def test_an_attribute_of_the_xml_namespace_around_is_refused(ven: Identity, trust: Trust):
    name = "{http://www.w3.org/XML/1998/namespace}lang"
    refused(changed(signed(ven), lambda root: root.set(name, "en")), trust, "attribute of the xml namespace")


# Algorithms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "uri", "told"),
    [
        (".//ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "method hmac-sha1 is not one of"),
        (".//ds:SignatureMethod", MORE + "hmac-sha256", "method hmac-sha256 is not one of rule 514"),
        (".//ds:SignatureMethod", MORE + "rsa-sha512", "method rsa-sha512 is not one of rule 514"),
        (".//ds:SignatureMethod", "", "method none is not one of rule 514"),
        (".//ds:DigestMethod", MORE + "md5", "digest md5 is not one of rule 514"),
        (".//ds:Transform", "http://www.w3.org/TR/1999/REC-xslt-19991116", "REC-xslt-19991116 is not allowed"),
        (".//ds:Transform", "http://www.w3.org/TR/1999/REC-xpath-19991116", "REC-xpath-19991116 is not allowed"),
        (
            ".//ds:Transform",
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "enveloped-signature is not allowed",
        ),
        (".//ds:Transform", "http://www.w3.org/2006/12/xml-c14n11", "xml-c14n11 is not allowed"),
        (".//ds:CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11", "xml-c14n11 is not allowed"),
    ],
)
def test_algorithms_that_are_not_listed_are_refused(path: str, uri: str, told: str, ven: Identity, trust: Trust):
    body = resigned(signed(ven), ven, lambda root: find(root, path).set("Algorithm", uri))
    refused(body, trust, told, ACCEPTS_ALL)


def test_a_mac_under_the_public_key_is_refused(vens, trust: Trust):
    """The classic confusion: the attacker knows the certificate, and keys a MAC with it."""
    import hashlib
    import hmac

    ven = vens[KeyKind.RSA]
    body = resigned(
        signed(ven),
        ven,
        lambda root: find(root, ".//ds:SignatureMethod").set("Algorithm", MORE + "hmac-sha256"),
        sign=lambda octets: hmac.new(ven.certificate.der, octets, hashlib.sha256).digest(),
    )
    refused(body, trust, "hmac-sha256")


def test_method_and_key_have_to_fit(vens, trust: Trust):
    ven = vens[KeyKind.RSA]
    uri = MORE + "ecdsa-sha256"
    body = resigned(signed(ven), ven, lambda root: find(root, ".//ds:SignatureMethod").set("Algorithm", uri))
    refused(body, trust, "says ecdsa-sha256, but the key of CN=ven-rsa")


@pytest.mark.parametrize("path", [".//ds:Transform", ".//ds:SignatureMethod", ".//ds:DigestMethod"])
def test_nothing_may_stand_in_an_algorithm(path: str, ven: Identity, trust: Trust):
    body = resigned(signed(ven), ven, lambda root: etree.SubElement(find(root, path), f"{DS}XPath"))
    assert not verify(body, trust, NOW, settings=ACCEPTS_ALL).valid


def test_two_transforms_are_refused(ven: Identity, trust: Trust):
    def two(root: Node) -> None:
        transforms = find(root, ".//ds:Transforms")
        transforms.append(copy.deepcopy(transforms[0]))

    refused(resigned(signed(ven), ven, two), trust, "2 transforms")


def test_no_transform_means_inclusive_canonicalisation(ven: Identity, trust: Trust):
    def none(root: Node) -> None:
        for reference in root.findall(".//ds:Reference", NAMESPACES):
            reference.remove(reference[0])

    assert verify(resigned(signed(ven), ven, none), trust, NOW).valid


def test_sha_1_is_accepted_by_setting_only(ven: Identity, trust: Trust):
    def sha1(root: Node) -> None:
        for method in root.findall(".//ds:DigestMethod", NAMESPACES):
            method.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
        rsa = ven.certificate.key_words.startswith("RSA")
        uri = "http://www.w3.org/2000/09/xmldsig#rsa-sha1" if rsa else MORE + "ecdsa-sha1"
        find(root, ".//ds:SignatureMethod").set("Algorithm", uri)

    body = resigned(signed(ven), ven, sha1, digest="sha1")
    refused(body, trust, "SHA-1, which is no longer safe; a setting would allow it")
    verdict = verify(body, trust, NOW, settings=VerifierSettings(sha1=True))
    assert verdict.valid
    assert all("SHA-1" in finding.text and finding.severity is Severity.WARNING for finding in verdict.findings)


def test_sha_1_in_one_place_is_enough_to_refuse(ven: Identity, trust: Trust):
    def in_digests(root: Node) -> None:
        for method in root.findall(".//ds:DigestMethod", NAMESPACES):
            method.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")

    def in_method(root: Node) -> None:
        rsa = ven.certificate.key_words.startswith("RSA")
        uri = "http://www.w3.org/2000/09/xmldsig#rsa-sha1" if rsa else MORE + "ecdsa-sha1"
        find(root, ".//ds:SignatureMethod").set("Algorithm", uri)

    digests = resigned(signed(ven), ven, in_digests, digest="sha1", sign=lambda octets: value_of(ven, octets))
    refused(digests, trust, "The digest is SHA-1")
    assert verify(digests, trust, NOW, settings=VerifierSettings(sha1=True)).valid
    method = resigned(signed(ven), ven, in_method, sign=lambda octets: value_of(ven, octets, "sha1"))
    refused(method, trust, "The signature is made with SHA-1")
    assert verify(method, trust, NOW, settings=VerifierSettings(sha1=True)).valid


def test_exclusive_canonicalisation_is_accepted_by_setting_only(ven: Identity, trust: Trust):
    def exclusive(root: Node) -> None:
        for method in (*root.findall(".//ds:Transform", NAMESPACES), find(root, ".//ds:CanonicalizationMethod")):
            method.set("Algorithm", EXCLUSIVE)

    body = resigned(signed(ven), ven, exclusive)
    refused(body, trust, "Exclusive canonicalisation is not in rule 514 and refused here")
    verdict = verify(body, trust, NOW, settings=VerifierSettings(exclusive=True))
    assert verdict.valid and [finding.severity for finding in verdict.findings] == [Severity.WARNING]
    # With it, declarations around no longer matter; what is signed still does.
    moved = body.replace(b"<oadr:oadrPayload", b'<oadr:oadrPayload xmlns:new="http://example.com"')
    assert verify(moved, trust, NOW, settings=VerifierSettings(exclusive=True)).valid
    assert not verify(body.replace(b"ven-1<", b"ven-2<"), trust, NOW, settings=VerifierSettings(exclusive=True)).valid


def test_a_digest_made_exclusively_under_the_wrong_name_is_recognised(ven: Identity, trust: Trust):
    def exclusive(root: Node) -> None:
        find(root, ".//ds:Transform").set("Algorithm", EXCLUSIVE)

    def inclusive(root: Node) -> None:
        find(root, ".//ds:Transform").set("Algorithm", C14N)

    body = changed(resigned(signed(ven), ven, exclusive), inclusive)
    refused(body, trust, "It fits exclusive canonicalisation, though the signature names another")


def test_an_ecdsa_value_in_der_form_is_recognised(vens, trust: Trust):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    ven = vens[KeyKind.ECC]
    body = resigned(
        signed(ven),
        ven,
        lambda root: None,
        sign=lambda octets: ven.key.sign(octets, ec.ECDSA(hashes.SHA256())),
    )
    refused(body, trust, "looks DER-coded")


def test_an_ecdsa_value_has_one_length(vens, trust: Trust):
    """Else one signature could be written in many ways."""
    ven = vens[KeyKind.ECC]

    def stretched(octets: bytes) -> bytes:
        value = value_of(ven, octets)
        return value[:32] + b"\0\0" + value[32:]

    refused(resigned(signed(ven), ven, lambda root: None, sign=stretched), trust, "was not made by the key of")


# Certificate ---------------------------------------------------------------------------------------------------------


def test_a_key_without_certificate_is_not_believed(vens, trust: Trust):
    ven = vens[KeyKind.RSA]

    def key_value(root: Node) -> None:
        info = find(root, ".//ds:KeyInfo")
        info.remove(info[0])
        value = etree.SubElement(etree.SubElement(info, f"{DS}KeyValue"), f"{DS}RSAKeyValue")
        numbers = ven.certificate.public_key.public_numbers()
        etree.SubElement(value, f"{DS}Modulus").text = base64.b64encode(numbers.n.to_bytes(256, "big")).decode()
        etree.SubElement(value, f"{DS}Exponent").text = base64.b64encode(b"\1\0\1").decode()

    refused(changed(signed(ven), key_value), trust, "does not bring its certificate")


def test_a_signer_nobody_vouches_for_is_refused(trust: Trust):
    stranger = issue(new_authority(KeyKind.ECC, NOW), "ven", "VEN", KeyKind.ECC, NOW)
    refused(signed(stranger), trust, "that one's key did not sign it")


def test_an_expired_signer_is_refused(ven: Identity, trust: Trust):
    late = ven.certificate.ends + timedelta(seconds=1)
    verdict = verify(signed(ven, now=late), trust, late)
    assert not verdict.valid
    assert [finding.rule for finding in verdict.findings] == ["516"]


def test_the_signer_has_to_be_the_one_expected(ven: Identity, other_ven: Identity, trust: Trust):
    verifier = Verifier(trust)
    assert verifier.verify(signed(ven), NOW, expected=ven.certificate.fingerprint.lower()).valid
    verdict = verifier.verify(signed(ven), NOW, expected=other_ven.certificate.fingerprint)
    assert not verdict.valid
    assert verdict.findings[0].rule == "517"


def test_signers_can_be_named(ven: Identity, other_ven: Identity, trust: Trust):
    named = VerifierSettings(signers=frozenset([ven.certificate.fingerprint.lower(), "00:11"]))
    assert verify(signed(ven), trust, NOW, settings=named).valid
    refused(signed(other_ven), trust, f"{other_ven.certificate.subject} has the fingerprint", named)


def test_too_many_certificates_are_not_read(ven: Identity, trust: Trust):
    def many(root: Node) -> None:
        held = find(root, ".//ds:X509Data")
        for _ in range(8):
            held.append(copy.deepcopy(held[0]))

    refused(changed(signed(ven), many), trust, "brings 9 certificates")


# Time and nonces -----------------------------------------------------------------------------------------------------

WINDOW = VerifierSettings(window=Window(timedelta(seconds=60), timedelta(seconds=10)))


@pytest.mark.parametrize(
    ("seconds", "valid"), [(0, True), (60, True), (61, False), (-10, True), (-11, False), (3600, False)]
)
def test_the_window_is_set_for_both_directions(seconds: int, valid: bool, other_ven: Identity, trust: Trust):
    verdict = verify(signed(other_ven), trust, NOW + timedelta(seconds=seconds), settings=WINDOW)
    assert verdict.valid is valid
    if not valid:
        told = "before it came; 60 s are allowed" if seconds > 0 else "after it came; 10 s are allowed"
        assert told in errors(verdict)[0]


def test_without_a_time_none_is_judged(ven: Identity, trust: Trust):
    verdict = verify(signed(ven, now=NOW - timedelta(days=400)), trust)
    assert verdict.valid
    assert verdict.replay is not None and verdict.replay.age is None


def test_a_repeated_message_is_refused(ven: Identity, trust: Trust):
    verifier = Verifier(trust, nonces=Nonces())
    assert verifier.verify(signed(ven), NOW).valid
    again = verifier.verify(signed(ven), NOW + timedelta(seconds=5))
    assert not again.valid
    assert "came before" in errors(again)[0]
    assert again.replay is not None and again.replay.seen_before
    assert verifier.verify(signed(ven, nonce="nonce-2"), NOW).valid


def test_a_nonce_is_its_signers_own(ven: Identity, other_ven: Identity, trust: Trust):
    verifier = Verifier(trust, nonces=Nonces())
    assert verifier.verify(signed(ven), NOW).valid
    assert verifier.verify(signed(other_ven), NOW).valid


def test_a_message_that_is_not_genuine_burns_no_nonce(ven: Identity, trust: Trust):
    verifier = Verifier(trust, nonces=Nonces())
    assert not verifier.verify(signed(ven).replace(b"ven-1<", b"ven-2<"), NOW).valid
    assert verifier.verify(signed(ven), NOW).valid


def test_a_nonce_is_remembered_as_long_as_its_message_would_be_in_time(other_ven: Identity, trust: Trust):
    """Whatever order and clocks: no instant at which the window takes the message and the nonces do not know it."""
    body = signed(other_ven)
    for first in range(-10, 61, 7):
        nonces = Nonces()
        verifier = Verifier(trust, WINDOW, nonces)
        assert verifier.verify(body, NOW + timedelta(seconds=first)).valid
        for later in range(first, 200, 3):
            assert not verifier.verify(body, NOW + timedelta(seconds=later)).valid
        assert nonces.take("anybody", "any", NOW + timedelta(seconds=63), NOW) is Taken.NEW
        assert len(nonces) == 1


def test_memory_for_nonces_is_bounded_and_full_means_no(other_ven: Identity, trust: Trust):
    verifier = Verifier(trust, WINDOW, Nonces(most=2))
    assert verifier.verify(signed(other_ven, nonce="1"), NOW).valid
    assert verifier.verify(signed(other_ven, nonce="2"), NOW).valid
    full = verifier.verify(signed(other_ven, nonce="3"), NOW)
    assert not full.valid
    assert "than can be remembered" in errors(full)[0]
    later = NOW + timedelta(seconds=62)
    assert verifier.verify(signed(other_ven, nonce="3", now=later), later).valid


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda root: find(root, ".//dsp:nonce").__setattr__("text", ""), "The nonce has 0 letters"),
        (lambda root: find(root, ".//dsp:nonce").__setattr__("text", "n" * 600), "The nonce has 600 letters"),
        (lambda root: find(root, ".//dsp:timestamp").__setattr__("text", "now"), "'now' is no date-time"),
        (lambda root: find(root, ".//dsp:ReplayProtect").remove(find(root, ".//dsp:nonce")), "has 0 dsp:nonce"),
        (
            lambda root: find(root, ".//ds:SignatureProperty").remove(find(root, ".//dsp:ReplayProtect")),
            "has 0 dsp:ReplayProtect",
        ),
        (
            lambda root: find(root, ".//ds:SignatureProperty").append(
                copy.deepcopy(find(root, ".//dsp:ReplayProtect"))
            ),
            "has 2 dsp:ReplayProtect",
        ),
        (
            lambda root: find(root, ".//ds:KeyInfo").append(find(root, ".//dsp:ReplayProtect")),
            "stands outside ds:Object",
        ),
    ],
)
def test_replay_protect_has_to_be_whole(change: Callable[[Node], object], told: str, ven: Identity, trust: Trust):
    refused(resigned(signed(ven), ven, change), trust, told)


def test_a_time_without_zone_is_read_as_utc_and_told(ven: Identity, trust: Trust):
    body = resigned(
        signed(ven), ven, lambda root: find(root, ".//dsp:timestamp").__setattr__("text", "2026-06-01T12:00:01")
    )
    verdict = verify(body, trust, NOW)
    assert verdict.valid and "no time zone" in verdict.findings[0].text
    assert verdict.replay is not None and verdict.replay.age == timedelta(seconds=-1)


# Oddities that do no harm ---------------------------------------------------------------------------------------------


def test_a_signature_behind_the_object_is_odd_only(ven: Identity, trust: Trust):
    verdict = verify(changed(signed(ven), lambda root: root.append(root[0])), trust, NOW)
    assert verdict.valid
    assert "behind oadrSignedObject" in verdict.findings[0].text


def test_an_unqualified_id_is_odd_only(ven: Identity, trust: Trust):
    def unqualified(root: Node) -> None:
        root[1].set("Id", root[1].attrib.pop(f"{OADR}Id"))

    verdict = verify(resigned(signed(ven), ven, unqualified), trust, NOW)
    assert verdict.valid
    assert "without oadr:" in verdict.findings[0].text


# Anything at all -----------------------------------------------------------------------------------------------------

MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, 10_000), st.sampled_from(["set", "drop", "insert", "copy"]), st.binary(min_size=1, max_size=8)
    ),
    min_size=1,
    max_size=3,
)


@given(mutations=MUTATIONS)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_done_to_the_bytes_what_counts_as_valid_is_what_was_signed(mutations, vens, authorities):
    ven = vens[KeyKind.ECC]
    original = Signer(ven, lambda: "nonce-1").sign(written(), NOW)
    body = original
    for place, how, piece in mutations:
        at = place % (len(body) + 1)
        match how:
            case "set":
                body = body[:at] + piece + body[at + len(piece) :]
            case "drop":
                body = body[:at] + body[at + len(piece) :]
            case "insert":
                body = body[:at] + piece + body[at:]
            case _:
                body = body[:at] + body[at : at + 40 * len(piece)] + body[at:]
    trust = Trust(identity.certificate for identity in authorities.values())
    verdict = Verifier(trust).verify(body, NOW, keep_canonical=True)
    if verdict.valid:
        assert codec.dissect(body).message == codec.dissect(original).message
        assert verdict.references == Verifier(trust).verify(original, NOW, keep_canonical=True).references


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["move", "copy", "drop", "rename", "id", "wrap"]), st.integers(0, 200), st.integers(0, 200)
    ),
    min_size=1,
    max_size=4,
)


@given(edits=EDITS)
@settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_however_elements_are_moved_about_what_counts_as_valid_is_what_was_signed(edits, vens, authorities):
    """Wrapping without an idea behind it: any element anywhere, twice, renamed, or with another's Id."""
    trust = Trust(identity.certificate for identity in authorities.values())
    original = Signer(vens[KeyKind.ECC], lambda: "nonce-1").sign(written(), NOW)
    root = tree(original)
    for how, first, second in edits:
        nodes = list(root.iter())
        node, other = nodes[first % len(nodes)], nodes[second % len(nodes)]
        if node is root:
            continue
        if how in ("move", "copy"):
            moved = copy.deepcopy(node) if how == "copy" or node in (other, *other.iterancestors()) else node
            other.insert(second % (len(other) + 1), moved)
        elif how == "drop":
            node.getparent().remove(node)  # type: ignore[union-attr]
        elif how == "rename":
            node.tag = other.tag
        elif how == "wrap":
            parent = node.getparent()
            assert parent is not None
            wrapper = etree.Element(other.tag)
            parent.replace(node, wrapper)
            wrapper.append(node)
        else:
            ids = [value for each in nodes for name, value in each.attrib.items() if str(name).endswith("Id")]
            node.set(["Id", f"{OADR}Id"][second % 2], ids[second % len(ids)] if ids else "new")
    body = text(root)
    if verify(body, trust, NOW).valid:
        assert codec.dissect(body).message == codec.dissect(original).message


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_bytes_that_are_anything_are_never_valid(body: bytes):
    assert not verify(body, None, NOW).valid


def test_the_forging_used_here_is_honest(ven: Identity, trust: Trust):
    """What the tests sign by themselves verifies where nothing is wrong with it, or they would prove nothing."""
    assert verify(resigned(signed(ven), ven, lambda root: None), trust, NOW).valid
    assert len(value_of(ven, b"x")) in (64, 256)
