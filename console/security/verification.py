"""Verifying a message's signature (rule 514, section 10.6): is what we act on what its sender signed, just now?

The verdict is about the bytes as they came. Two things have to hold together: the arithmetic (both digests, the key),
and that the references cover the one oadrSignedObject a node reads and the ReplayProtect whose time and nonce count.
Whatever could lead elsewhere is refused: an Id that two elements have, other references, transforms other than
canonicalisation, methods not on the list, a key that is no certificate's. Nothing is fetched, nothing raised.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from console.openadr.calendar import read_date_time
from console.openadr.elements import Node, prefixed, qualified
from console.openadr.findings import Finding, Severity
from console.openadr.parsing import parse, too_deep
from console.openadr.verdicts import ReferenceVerdict, ReplayVerdict, SignatureVerdict
from console.security import algorithms, certificates, reasons
from console.security.algorithms import CANONICALIZATIONS, DIGESTS, SIGNATURE_METHODS, Canonicalization, SignatureMethod
from console.security.certificates import Certificate, CertificateError
from console.security.replay import Nonces, Taken, Window
from console.security.trust import Trust

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
"""Comments and processing instructions count in canonical XML, so they are kept here."""

_ENVELOPE, _SIGNED_OBJECT = qualified("oadr:oadrPayload"), qualified("oadr:oadrSignedObject")
_SIGNATURE, _INFO, _VALUE = qualified("ds:Signature"), qualified("ds:SignedInfo"), qualified("ds:SignatureValue")
_CANONICALIZATION, _METHOD = qualified("ds:CanonicalizationMethod"), qualified("ds:SignatureMethod")
_REFERENCE, _TRANSFORMS, _TRANSFORM = (qualified(f"ds:{name}") for name in ("Reference", "Transforms", "Transform"))
_DIGEST_METHOD, _DIGEST_VALUE = qualified("ds:DigestMethod"), qualified("ds:DigestValue")
_KEY_INFO, _X509, _OBJECT = qualified("ds:KeyInfo"), qualified("ds:X509Data"), qualified("ds:Object")
_CERTIFICATE = qualified("ds:X509Certificate")
_REPLAY, _TIMESTAMP, _NONCE = (qualified(f"dsp:{name}") for name in ("ReplayProtect", "timestamp", "nonce"))
_DS = _SIGNATURE.removesuffix("Signature")

_IDS = etree.XPath("//@*[local-name()='Id' or local-name()='ID' or local-name()='id']")
_MOST_REFERENCES = 4
"""Each makes us canonicalise what it names."""
_MOST_CERTIFICATES = 8
_LONGEST_NONCE = 512


@dataclass(frozen=True, slots=True)
class VerifierSettings:
    """What is tolerated; nothing beyond what rule 514 lists or, for exclusive C14N, what is met in the field."""

    required: bool = True
    """A message without signature is not valid."""
    window: Window = Window()
    sha1: bool = False
    """SHA-1 is in rule 514, but no longer safe."""
    exclusive: bool = False
    """Exclusive C14N is not in rule 514."""
    signers: frozenset[str] = frozenset()
    """Fingerprints of those who may sign; empty: whoever is trusted. A VEN that has only its VTN here is safe from
    other nodes of the same authority."""


class Verifier:
    """Verifies messages against one trust, remembering their nonces.

    Parameters
    ----------
    trust : Trust, optional
        Without it any certificate's key will do and a finding says so; for looking at messages, not for acting on them.
    nonces : Nonces, optional
        Without them nothing is known to be a repetition; a running node has them.
    """

    def __init__(
        self,
        trust: Trust | None,
        settings: VerifierSettings = VerifierSettings(),
        nonces: Nonces | None = None,
    ) -> None:
        self.trust = trust
        self.settings = settings
        self.nonces = nonces

    def verify(
        self, body: bytes, now: datetime | None = None, *, expected: str = "", keep_canonical: bool = False
    ) -> SignatureVerdict:
        """The verdict on a message as it came at ``now``; without ``now`` nothing that depends on time is judged.

        ``expected`` is the fingerprint the signer has to have, where one is known. ``keep_canonical`` keeps the bytes
        each digest and the signature were computed over.
        """
        root = _tree(body)
        if root is None:
            return self._unsigned("The message cannot be read, so neither can a signature in it.")
        signatures = list(root.iter(_SIGNATURE))
        if not signatures:
            return self._unsigned("The message is not signed; this node takes signed messages only.")
        return _Check(self, root, signatures, now, expected, keep_canonical).verdict()

    def _unsigned(self, why: str) -> SignatureVerdict:
        if not self.settings.required:
            return SignatureVerdict(signed=False, valid=True)
        return SignatureVerdict(signed=False, valid=False, findings=(reasons.finding(Severity.ERROR, why),))


def verify(
    body: bytes,
    trust: Trust | None,
    now: datetime | None = None,
    nonces: Nonces | None = None,
    settings: VerifierSettings = VerifierSettings(),
) -> SignatureVerdict:
    """Verify once; who verifies often keeps a :class:`Verifier`."""
    return Verifier(trust, settings, nonces).verify(body, now)


class _Refused(Exception):
    """Nothing more can be said about this signature; the finding is among the others."""


class _Check:
    """One message's signature under examination."""

    def __init__(
        self,
        verifier: Verifier,
        root: Node,
        signatures: list[Node],
        now: datetime | None,
        expected: str,
        keep_canonical: bool,
    ) -> None:
        self._verifier = verifier
        self._settings = verifier.settings
        self._root = root
        self._ids: list[Any] = list(_IDS(root))  # type: ignore[arg-type]
        self._signatures = signatures
        self._now = now
        self._expected = expected
        self._keep = keep_canonical
        self._findings: list[Finding] = []
        self._references: list[ReferenceVerdict] = []
        self._covered: list[Node] = []
        self._algorithm = ""
        self._signed_text = b""
        self._signer: Certificate | None = None
        self._replay: ReplayVerdict | None = None

    def verdict(self) -> SignatureVerdict:
        try:
            self._examine()
        except _Refused:
            pass
        except algorithms.NotCanonicalError as error:
            self._error(f"The message cannot be canonicalised: {error}.", self._root)
        valid = not any(finding.severity is Severity.ERROR for finding in self._findings)
        if valid:
            valid = self._remember()
        return SignatureVerdict(
            signed=True,
            valid=valid,
            findings=tuple(self._findings),
            algorithm=self._algorithm,
            fingerprint=self._signer.fingerprint if self._signer else "",
            subject=self._signer.subject if self._signer else "",
            references=tuple(self._references),
            replay=self._replay,
            signed_text=self._signed_text if self._keep else b"",
        )

    def _examine(self) -> None:
        signature, signed_object = self._places()
        info = self._only(signature, _INFO)
        for reference in self._references_in(info):
            self._check_reference(reference)
        self._check_cover(signature, signed_object)
        signer, between = self._certificates_in(signature)
        self._signer = signer
        self._check_value(signature, info, signer)
        self._check_signer(signer, between)

    # Where things stand ----------------------------------------------------------------------------------------------

    def _places(self) -> tuple[Node, Node]:
        """The signature and the signed object a node reads; there may be no other of either, anywhere."""
        signature = self._signatures[0]
        if len(self._signatures) > 1:
            self._refuse(f"The message has {len(self._signatures)} signatures; one is allowed.", self._signatures[1])
        if self._root.tag != _ENVELOPE or signature.getparent() is not self._root:
            self._refuse("The signature does not stand in oadrPayload beside oadrSignedObject.", signature)
        objects = list(self._root.iter(_SIGNED_OBJECT))
        if len(objects) != 1 or objects[0].getparent() is not self._root:
            self._refuse(f"One oadrSignedObject is to stand in oadrPayload; there are {len(objects)}.", self._root)
        if any(
            str(name).startswith(algorithms.XML_ATTRIBUTE) for node in (self._root, signature) for name in node.attrib
        ):
            self._refuse(
                "An attribute of the xml namespace stands around what is signed; it is not allowed.", signature
            )
        if self._root.index(signature) > self._root.index(objects[0]):
            self._warn("The signature stands behind oadrSignedObject; it comes first.", signature)
        return signature, objects[0]

    def _only(self, parent: Node, tag: str) -> Node:
        found = parent.findall(tag)
        if len(found) != 1:
            self._refuse(f"{prefixed(str(parent.tag))} has {len(found)} {prefixed(tag)}; one is needed.", parent)
        return found[0]

    # References ------------------------------------------------------------------------------------------------------

    def _references_in(self, info: Node) -> list[Node]:
        references = info.findall(_REFERENCE)
        if not 0 < len(references) <= _MOST_REFERENCES:
            self._refuse(f"The signature has {len(references)} references; two are needed.", info)
        if len(references) > 2:
            self._warn(f"The signature has {len(references)} references; the standard has two.", info)
        return references

    def _check_reference(self, reference: Node) -> None:
        """Resolve it, digest what it names, note the verdict."""
        uri = reference.get("URI")
        target = self._resolve(uri, reference)
        way = self._way_of(reference)
        method = self._only(reference, _DIGEST_METHOD)
        name, hashed = self._digest_of(method)
        given = self._binary(self._only(reference, _DIGEST_VALUE))
        octets = computed = b""
        if target is not None and way is not None and hashed is not None:
            octets = algorithms.canonical(target, way)
            computed = hashed(octets)
            self._covered.append(target)
        element = prefixed(str(target.tag)) if target is not None else ""
        verdict = ReferenceVerdict(uri or "", element, name, given, computed, octets if self._keep else b"")
        self._references.append(verdict)
        if computed and hashed and way and target is not None and not verdict.matches:
            self._error(reasons.why_unlike(verdict, target, way, hashed), target)

    def _resolve(self, uri: str | None, reference: Node) -> Node | None:
        """The one element with the Id that ``uri`` names."""
        if not uri or not uri.startswith("#") or len(uri) < 2 or "(" in uri:
            named = reasons.shown(uri or "nothing")
            self._error(f"A reference names {named!r}; only #Id of an element of the message is allowed.", reference)
            return None
        named = [found.getparent() for found in self._ids if found == uri[1:]]
        if len(named) != 1:
            many = "no element has" if not named else f"{len(named)} elements have"
            self._error(f"A reference names {reasons.shown(uri)}, but {many} that Id.", reference)
            return None
        target = named[0]
        if target.tag == _SIGNED_OBJECT and target.get(algorithms.OADR_ID) != uri[1:]:
            self._warn("The Id of oadrSignedObject is written without oadr:, which the schema does not allow.", target)
        return target

    def _way_of(self, reference: Node) -> Canonicalization | None:
        """How the octets are made; a same-document reference is without comments whatever the transform says."""
        lists = reference.findall(_TRANSFORMS)
        transforms = [step for steps in lists for step in steps if isinstance(step.tag, str)]
        if not transforms:
            return CANONICALIZATIONS[algorithms.INCLUSIVE]
        if len(transforms) > 1 or len(lists) > 1:
            self._error(f"A reference has {len(transforms)} transforms; one canonicalisation is allowed.", reference)
            return None
        way = self._canonicalization(transforms[0])
        return None if way is None else Canonicalization(way.exclusive, False, way.prefixes)

    def _canonicalization(self, method: Node) -> Canonicalization | None:
        uri = method.get("Algorithm", "")
        way = CANONICALIZATIONS.get(uri)
        inner = [child.tag for child in method if isinstance(child.tag, str)]
        if way is None or (inner and (not way.exclusive or inner != [algorithms.INCLUSIVE_NAMESPACES])):
            name = reasons.shown(uri) if way is None else f"{reasons.shown(uri)} with {prefixed(inner[0])}"
            self._error(f"The canonicalisation or transform {name} is not allowed.", method)
            return None
        if not way.exclusive:
            return way
        if not self._settings.exclusive:
            text = "Exclusive canonicalisation is not in rule 514 and refused here; a setting would allow it."
            self._error(text, method)
            return None
        self._warn("Exclusive canonicalisation is not in rule 514; it was accepted by setting.", method)
        return Canonicalization(True, way.comments, algorithms.prefixes_of(method))

    def _digest_of(self, method: Node) -> tuple[str, Callable[[bytes], bytes] | None]:
        uri = method.get("Algorithm", "")
        if uri not in DIGESTS or len(method):
            self._error(f"The digest {reasons.shown(algorithms.fragment(uri))} is not one of rule 514.", method)
            return uri, None
        name, make = DIGESTS[uri]
        if name == "sha1" and not self._accepts_sha1("The digest is", method):
            return name, None
        return name, lambda octets: make(octets).digest()

    def _accepts_sha1(self, what: str, at: Node) -> bool:
        if self._settings.sha1:
            self._warn(f"{what} SHA-1, which is no longer safe; it was accepted by setting.", at)
        else:
            self._error(f"{what} SHA-1, which is no longer safe; a setting would allow it.", at)
        return self._settings.sha1

    # Key and value ---------------------------------------------------------------------------------------------------

    def _certificates_in(self, signature: Node) -> tuple[Certificate, tuple[Certificate, ...]]:
        """The signer's certificate, and the others that came with it."""
        key_info = self._only(signature, _KEY_INFO)
        texts = [node for found in key_info.findall(_X509) for node in found.findall(_CERTIFICATE)]
        if not texts:
            text = "The signature does not bring its certificate (ds:X509Certificate); its signer cannot be known."
            self._refuse(text, key_info)
        if len(texts) > _MOST_CERTIFICATES:
            self._refuse(f"The signature brings {len(texts)} certificates; {_MOST_CERTIFICATES} are read.", key_info)
        read: list[Certificate] = []
        for node in texts:
            try:
                read.append(certificates.read_base64("".join(map(str, node.itertext()))))
            except CertificateError as error:
                self._refuse(f"ds:X509Certificate holds {error}.", node)
        issuers = {certificate.x509.issuer for certificate in read if not certificate.self_signed}
        leaves = [certificate for certificate in read if certificate.x509.subject not in issuers] or read
        return leaves[0], tuple(certificate for certificate in read if certificate is not leaves[0])

    def _check_value(self, signature: Node, info: Node, signer: Certificate) -> None:
        """Whether the signer's key signed ds:SignedInfo."""
        method = self._method_of(self._only(info, _METHOD))
        way = self._canonicalization(self._only(info, _CANONICALIZATION))
        if method is None or way is None:
            return
        value_node = self._only(signature, _VALUE)
        value = self._binary(value_node)
        self._signed_text = algorithms.canonical(info, way)
        if algorithms.is_signed_by(self._signed_text, value, signer.public_key, method):
            return
        if not signer.key_words.startswith(method.key):
            text = f"The signature says {method.name}, but the key of {signer.subject} is {signer.key_words}."
        elif method.key == "EC" and value[:1] == b"\x30":
            text = (
                "The signature value does not fit. It looks DER-coded; XML signatures have r, then s, of equal length."
            )
        else:
            text = f"The signature value was not made by the key of {signer.subject} over this ds:SignedInfo."
        self._error(text, value_node)

    def _method_of(self, node: Node) -> SignatureMethod | None:
        uri = node.get("Algorithm", "")
        method = SIGNATURE_METHODS.get(uri)
        self._algorithm = method.name if method else uri
        if method is None or len(node):
            name = reasons.shown(algorithms.fragment(uri))
            self._error(f"The signature method {name} is not one of rule 514 (RSA or ECDSA with SHA-256).", node)
            return None
        if method.digest == "sha1" and not self._accepts_sha1("The signature is made with", node):
            return None
        return method

    def _check_signer(self, signer: Certificate, between: tuple[Certificate, ...]) -> None:
        trust = self._verifier.trust
        if trust is None:
            self._findings += certificates.examine(signer, self._now)
            text = f"It was not checked whether {signer.subject} is to be trusted: no authority was given."
            self._findings.append(reasons.finding(Severity.INFO, text))
        else:
            self._findings += trust.check(signer, between, self._now)
        wanted = [self._expected] if self._expected else sorted(self._settings.signers)
        known = (*between, *(trust.authorities if trust else ()))
        unlike = [certificates.unlike(fingerprint, signer, known) for fingerprint in wanted]
        if unlike and all(unlike):
            self._findings += [finding for finding in unlike[:1] if finding]

    # What is covered, and when it was sent ---------------------------------------------------------------------------

    def _check_cover(self, signature: Node, signed_object: Node) -> None:
        """The object a node acts on and the ReplayProtect that counts have to be among what was signed."""
        if not any(target is signed_object for target in self._covered):
            text = "The oadrSignedObject is not what the signature covers; what would be acted on was not signed."
            self._error(text, signed_object)
        protects = list(signature.iter(_REPLAY))
        if len(protects) != 1:
            text = (
                f"The signature has {len(protects)} dsp:ReplayProtect; one is needed, or a message could be repeated."
            )
            self._error(text, signature)
            return
        above = [protects[0], *protects[0].iterancestors()]
        inner = above[: above.index(signature)]
        if not inner or inner[-1].tag != _OBJECT:
            self._error("dsp:ReplayProtect stands outside ds:Object.", protects[0])
            return
        covering = [node for node in inner if any(target is node for target in self._covered)]
        if not covering:
            self._error(
                "dsp:ReplayProtect is not what the signature covers; time and nonce could be forged.", inner[-1]
            )
        elif covering[-1] is not inner[-1]:
            self._warn(
                f"The signature covers {prefixed(str(covering[-1].tag))}, not the whole ds:Object.", covering[-1]
            )
        self._check_replay(protects[0])

    def _check_replay(self, protect: Node) -> None:
        nonce = "".join(map(str, self._only(protect, _NONCE).itertext())).strip()
        if not 0 < len(nonce) <= _LONGEST_NONCE:
            self._error(f"The nonce has {len(nonce)} letters; it needs 1 to {_LONGEST_NONCE}.", protect)
        node = self._only(protect, _TIMESTAMP)
        try:
            timestamp, _ = read_date_time("".join(map(str, node.itertext())))
        except ValueError as error:
            self._error(f"dsp:timestamp: {error}.", node)
            self._replay = ReplayVerdict(None, nonce)
            return
        written = "".join(map(str, node.itertext())).strip()
        if written[-1:] not in "Zz" and not any(sign in written[19:] for sign in "+-"):
            self._warn("dsp:timestamp has no time zone; it was read as UTC.", node)
        age = None if self._now is None else self._now - timestamp
        self._replay = ReplayVerdict(timestamp, nonce, age)
        if age is not None:
            for text in reasons.out_of(self._settings.window, age, timestamp):
                self._error(text, node)

    def _remember(self) -> bool:
        """Take the nonce in, now that all else is well; whether it is new."""
        nonces, replay, now = self._verifier.nonces, self._replay, self._now
        if nonces is None or now is None:
            return True
        assert replay is not None and replay.timestamp is not None and self._signer is not None
        match nonces.take(self._signer.fingerprint, replay.nonce, now, replay.timestamp + self._settings.window.past):
            case Taken.NEW:
                return True
            case Taken.SEEN:
                self._replay = ReplayVerdict(replay.timestamp, replay.nonce, replay.age, seen_before=True)
                nonce = reasons.shown(replay.nonce)
                self._error(f"The nonce {nonce} of {self._signer.subject} came before: a repeated message.")
            case Taken.NO_ROOM:
                text = "More messages came within the time window than can be remembered; this one was refused."
                self._error(text)
        return False

    # Saying it -------------------------------------------------------------------------------------------------------

    def _binary(self, node: Node) -> bytes:
        text = "".join("".join(map(str, node.itertext())).split())
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self._error(f"{prefixed(str(node.tag))} is no base64.", node)
            return b""

    def _error(self, text: str, at: Node | None = None) -> None:
        self._findings.append(reasons.finding(Severity.ERROR, text, at))

    def _warn(self, text: str, at: Node) -> None:
        finding = reasons.finding(Severity.WARNING, text, at)
        if all(other.text != text for other in self._findings):
            self._findings.append(finding)

    def _refuse(self, text: str, at: Node) -> None:
        self._error(text, at)
        raise _Refused


def _tree(body: bytes) -> Node | None:
    """The message as the codec reads it, with its comments and instructions where it has any."""
    root, remarks = parse(body)
    if root is None or too_deep(root):
        return None
    if not remarks and (b"<!--" in body or body.count(b"<?") > body.startswith(b"<?xml")):
        try:
            return etree.fromstring(body, _PARSER)
        except etree.XMLSyntaxError:
            return None
    return root
