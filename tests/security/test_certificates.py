"""Fingerprints, keys, lifetimes, paths and revocation: what is told about certificates, and when it is an error."""

from __future__ import annotations

import hashlib
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from console.openadr.findings import Severity
from console.security import certificates
from console.security.authority import KeyKind, issue, new_authority, revoke
from console.security.certificates import Certificate, CertificateError, examine, unlike
from console.security.keys import Identity, KeyFileError, read_certificates, read_identity, read_key, write_key
from console.security.trust import Trust, read_revocations

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


def made(key, *, subject="CN=odd", issuer=None, signer=None, ca=None, starts=NOW - YEAR, ends=NOW + YEAR, usage=None):
    """A certificate made to order."""
    name = x509.Name.from_rfc4514_string(subject)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer or name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(starts).not_valid_after(ends)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    return Certificate.of(builder.sign(signer or key, hashes.SHA256()))


def ec_key(curve: ec.EllipticCurve | None = None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def errors(findings):
    return [finding for finding in findings if finding.severity is Severity.ERROR]


# Fingerprints --------------------------------------------------------------------------------------------------------


def test_the_fingerprint_is_the_last_ten_bytes_of_the_sha_256(ven: Identity):
    whole = hashlib.sha256(ven.certificate.der).hexdigest().upper()
    assert ven.certificate.fingerprint.replace(":", "") == whole[44:]
    assert len(ven.certificate.fingerprint) == 29
    assert ven.certificate.full_fingerprint.endswith(ven.certificate.fingerprint)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (lambda der: hashlib.sha256(der).hexdigest(), "whole SHA-256"),
        (lambda der: hashlib.sha256(der).digest()[:10].hex(":"), "first ten bytes"),
        (lambda der: hashlib.sha1(der).hexdigest(), "SHA-1"),
        (lambda der: "00:11:22:33:44:55:66:77:88:99", "another certificate"),
    ],
)
def test_a_fingerprint_that_does_not_fit_is_told_for_what_it_is(written, told, ven: Identity):
    finding = unlike(written(ven.certificate.der), ven.certificate)
    assert finding is not None
    assert told in finding.text


def test_the_fingerprint_of_the_authority_is_recognised(authorities, vens):
    authority, leaf = authorities[KeyKind.RSA].certificate, vens[KeyKind.RSA].certificate
    finding = unlike(authority.fingerprint, leaf, [authority])
    assert finding is not None
    assert "the authority CN=Nodebench TEST CA RSA" in finding.text
    assert unlike(leaf.fingerprint.lower(), leaf) is None


# Reading -------------------------------------------------------------------------------------------------------------


def test_what_is_no_certificate_is_told_in_a_sentence():
    with pytest.raises(CertificateError, match="no base64"):
        certificates.read_base64("§§")
    with pytest.raises(CertificateError, match="no X.509 certificate"):
        certificates.read_base64("AAAA")
    with pytest.raises(CertificateError, match="PEM"):
        certificates.read_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_damaged_certificate_is_refused_in_words_and_nothing_raised(kind: KeyKind, authorities, vens):
    """Parsers look at parts late: whatever a peer puts into one, reading says no or all of it can be looked at."""
    rng = random.Random(7)
    trust = Trust([authorities[kind].certificate])
    read = 0
    for _ in range(1500):
        der = bytearray(vens[kind].certificate.der)
        for _ in range(rng.choice([1, 1, 2])):
            der[rng.randrange(len(der))] = rng.randrange(256)
        if bytes(der) == vens[kind].certificate.der:
            continue
        try:
            damaged = certificates.read_der(bytes(der))
        except CertificateError:
            continue
        read += 1
        assert errors(trust.check(damaged, (authorities[kind].certificate,), NOW))
        assert unlike("00", damaged, [damaged])
        assert damaged.key_words and isinstance(damaged.names, tuple) and damaged.pem()
    assert read > 400


def test_a_certificate_is_parsed_once(ven: Identity):
    text = "".join(ven.certificate.pem().decode().splitlines()[1:-1])
    assert certificates.read_base64(text) is certificates.read_base64(text)
    assert certificates.read_base64(text) == ven.certificate


def test_an_identity_is_read_from_files_and_never_shows_its_key(tmp_path: Path, ven: Identity, other_ven: Identity):
    certificate_file, key_file = tmp_path / "node.pem", tmp_path / "node.key"
    certificate_file.write_bytes(ven.certificate.pem() + other_ven.certificate.pem())
    write_key(key_file, ven.key)
    if os.name == "posix":
        assert key_file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_key(key_file, ven.key)
    identity = read_identity(certificate_file, key_file)
    assert (identity.certificate, identity.chain) == (ven.certificate, (other_ven.certificate,))
    assert "key" not in repr(identity).replace("key_", "").lower()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, ven: Identity, other_ven: Identity):
    certificate_file, key_file = tmp_path / "node.pem", tmp_path / "node.key"
    certificate_file.write_bytes(ven.certificate.pem())
    write_key(key_file, other_ven.key)
    with pytest.raises(KeyFileError, match="does not belong to the certificate"):
        read_identity(certificate_file, key_file)


def test_key_files_that_cannot_be_used_are_told_apart(tmp_path: Path, ven: Identity):
    locked, foreign, empty = tmp_path / "locked.key", tmp_path / "dsa.key", tmp_path / "empty.key"
    locked.write_bytes(ven.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    foreign.write_bytes(
        dsa.generate_private_key(1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    )
    empty.write_bytes(b"")
    with pytest.raises(KeyFileError, match="has a password"):
        read_key(locked)
    with pytest.raises(KeyFileError, match="cannot be opened with this password"):
        read_key(locked, b"wrong")
    assert read_key(locked, b"secret").public_key() == ven.key.public_key()
    with pytest.raises(KeyFileError, match="another kind"):
        read_key(foreign, b"x")
    with pytest.raises(KeyFileError, match="no private key in PEM form"):
        read_key(empty)
    with pytest.raises(KeyFileError, match="No such file"):
        read_certificates(tmp_path / "absent.pem")


# What is said about one ----------------------------------------------------------------------------------------------


def test_nothing_is_said_about_a_good_one(ven: Identity):
    assert examine(ven.certificate, NOW + YEAR) == ()


@pytest.mark.parametrize(
    ("key", "severity", "told"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), Severity.ERROR, "RSA 1024; at least 2048"),
        (lambda: ec_key(ec.SECP192R1()), Severity.ERROR, "EC secp192r1; at least 224"),
        (lambda: ec_key(ec.SECP224R1()), Severity.WARNING, "rule 68 allows 224 bits"),
    ],
)
def test_short_keys_break_rule_68(key, severity: Severity, told: str):
    (finding,) = examine(made(key()), NOW)
    assert (finding.rule, finding.severity) == ("68", severity)
    assert told in finding.text


def test_keys_that_openadr_does_not_know_break_rule_68():
    signer = ec_key()
    certificate = made(dsa.generate_private_key(2048), signer=signer)
    (finding,) = examine(certificate, NOW)
    assert (finding.rule, finding.severity) == ("68", Severity.ERROR)


@pytest.mark.parametrize(
    ("at", "severity", "told"),
    [
        (NOW + YEAR + timedelta(days=3), Severity.ERROR, "expired on 2027-06-01 12:00 UTC, 3 days ago"),
        (NOW - YEAR - timedelta(minutes=20), Severity.ERROR, "valid only from 2025-06-01 12:00 UTC, in 20 minutes"),
        (NOW + YEAR - timedelta(days=9), Severity.WARNING, "expires on 2027-06-01 12:00 UTC, in 9 days"),
    ],
)
def test_the_lifetime_is_rule_516(at: datetime, severity: Severity, told: str):
    (finding,) = examine(made(ec_key()), at)
    assert (finding.rule, finding.severity) == ("516", severity)
    assert told in finding.text


def test_a_certificate_for_other_purposes_is_told(authorities):
    assert any("of an authority" in finding.text for finding in examine(authorities[KeyKind.ECC].certificate, NOW))
    server = made(ec_key(), usage=[ExtendedKeyUsageOID.SERVER_AUTH])
    assert [finding.text for finding in examine(server, NOW) if "a TLS client" in finding.text]
    nameless = made(ec_key(), subject="O=odd")
    assert [finding.text for finding in examine(nameless, NOW) if "no common name" in finding.text]


# Paths ---------------------------------------------------------------------------------------------------------------


def test_what_our_authority_issues_is_trusted(trust: Trust, ven: Identity):
    assert trust.check(ven.certificate, (), NOW) == ()


def test_time_matters_although_paths_are_remembered(trust: Trust, ven: Identity):
    assert not errors(trust.check(ven.certificate, (), NOW))
    assert [finding.rule for finding in errors(trust.check(ven.certificate, (), NOW + 11 * YEAR))] == ["516", "516"]
    assert not errors(trust.check(ven.certificate, (), NOW))
    assert not errors(trust.check(ven.certificate, ()))


def test_an_authority_that_expired_before_its_node_is_told():
    root_key, leaf_key = ec_key(), ec_key()
    root = made(root_key, subject="CN=old root", ca=True, ends=NOW)
    leaf = made(leaf_key, issuer=root.x509.subject, signer=root_key, ends=NOW + YEAR)
    trust = Trust([root])
    assert not errors(trust.check(leaf, (), NOW - timedelta(days=40)))
    (finding,) = errors(trust.check(leaf, (), NOW + timedelta(days=40)))
    assert "CN=old root expired" in finding.text


def test_a_root_younger_than_its_nodes_is_found():
    root_key, leaf_key = ec_key(), ec_key()
    root = made(root_key, subject="CN=young root", ca=True, starts=NOW - timedelta(days=2))
    leaf = made(leaf_key, issuer=root.x509.subject, signer=root_key, starts=NOW - YEAR)
    assert not errors(Trust([root]).check(leaf, (), NOW))


def test_an_intermediate_is_followed_where_it_is_sent():
    root_key, middle_key, leaf_key = ec_key(), ec_key(), ec_key()
    root = made(root_key, subject="CN=root", ca=True)
    middle = made(middle_key, subject="CN=middle", issuer=root.x509.subject, signer=root_key, ca=True)
    leaf = made(leaf_key, subject="CN=leaf", issuer=middle.x509.subject, signer=middle_key)
    trust = Trust([root])
    assert not errors(trust.check(leaf, [middle], NOW))
    (finding,) = errors(trust.check(leaf, [], NOW))
    assert "its issuer CN=middle is neither trusted here nor sent along" in finding.text


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("nothing trusted", "no authority is trusted here"),
        ("self-signed", "CN=odd is self-signed and not among the trusted ones"),
        ("forged issuer", "that one's key did not sign it"),
        ("issued by a node", "CN=node issued it, but is no authority"),
        ("foreign authority", "leads to the authority CN=foreign, which is not trusted here"),
    ],
)
def test_why_there_is_no_path_is_told(case: str, told: str):
    root_key, node_key, leaf_key, foreign_key = (ec_key() for _ in range(4))
    root = made(root_key, subject="CN=root", ca=True)
    node = made(node_key, subject="CN=node", issuer=root.x509.subject, signer=root_key, ca=False)
    foreign = made(foreign_key, subject="CN=foreign", ca=True)
    trust, leaf, between = {
        "nothing trusted": (Trust(), made(leaf_key), []),
        "self-signed": (Trust([root]), made(leaf_key), []),
        "forged issuer": (Trust([root]), made(leaf_key, issuer=root.x509.subject, signer=foreign_key), []),
        "issued by a node": (Trust([root]), made(leaf_key, issuer=node.x509.subject, signer=node_key), [node]),
        "foreign authority": (
            Trust([root]),
            made(leaf_key, issuer=foreign.x509.subject, signer=foreign_key),
            [foreign],
        ),
    }[case]
    (finding,) = errors(trust.check(leaf, between, NOW))
    assert told in finding.text


def test_a_single_certificate_is_trusted_by_itself():
    leaf = made(ec_key())
    assert not errors(Trust([], [leaf]).check(leaf, (), NOW))
    assert errors(Trust([], [leaf]).check(leaf, (), NOW + 2 * YEAR))


def test_a_file_of_trust_holds_authorities_and_single_certificates(tmp_path: Path, authorities, vens):
    lone = made(ec_key(), subject="CN=lone")
    file = tmp_path / "trust.pem"
    file.write_bytes(authorities[KeyKind.RSA].certificate.pem() + lone.pem())
    trust = Trust.read(file)
    assert not errors(trust.check(lone, (), NOW))
    assert not errors(trust.check(vens[KeyKind.RSA].certificate, (), NOW))
    assert errors(trust.check(vens[KeyKind.ECC].certificate, (), NOW))


# Revocation ----------------------------------------------------------------------------------------------------------


def test_a_revoked_certificate_is_refused_and_only_that(tmp_path: Path, authorities, vens, other_ven):
    authority, revoked = authorities[KeyKind.ECC], vens[KeyKind.ECC].certificate
    file = tmp_path / "revoked.pem"
    file.write_bytes(revoke(authority, [revoked], NOW))
    trust = Trust([authority.certificate], revocations=read_revocations(file))
    (finding,) = errors(trust.check(revoked, (), NOW))
    assert (finding.rule, "revoked by CN=Nodebench TEST CA ECC" in finding.text) == ("516", True)
    assert not errors(trust.check(other_ven.certificate, (), NOW))


def test_a_forged_revocation_list_is_not_used(tmp_path: Path, authorities, vens):
    authority, impostor = authorities[KeyKind.ECC], new_authority(KeyKind.ECC, NOW)
    file = tmp_path / "revoked.pem"
    file.write_bytes(revoke(impostor, [vens[KeyKind.ECC].certificate], NOW))
    trust = Trust([authority.certificate], revocations=read_revocations(file))
    (finding,) = trust.check(vens[KeyKind.ECC].certificate, (), NOW)
    assert (finding.severity, "not signed by it" in finding.text) == (Severity.WARNING, True)
    file.write_bytes(b"none")
    with pytest.raises(KeyFileError, match="holds no revocation list"):
        read_revocations(file)


# The test authority --------------------------------------------------------------------------------------------------


def test_everything_issued_says_test(authorities, vens):
    for identity in (*authorities.values(), *vens.values()):
        assert "TEST" in identity.certificate.subject
    assert authorities[KeyKind.RSA].certificate.key_words == "RSA 2048"
    assert authorities[KeyKind.ECC].certificate.key_words == "EC secp256r1"


def test_names_and_addresses_become_alternative_names(authorities):
    authority = authorities[KeyKind.ECC]
    node = issue(authority, "vtn.example", "VTN", KeyKind.ECC, NOW, also=["127.0.0.1", "::1", "localhost"])
    assert node.certificate.names == ("vtn.example", "localhost", "127.0.0.1", "::1")
    spaced = issue(authority, "VEN 1, hall", "VEN", KeyKind.ECC, NOW)
    assert spaced.certificate.names == ("VEN 1, hall",)
    assert spaced.certificate.common_name == "VEN 1, hall"


def test_no_node_outlives_its_authority():
    authority = new_authority(KeyKind.ECC, NOW, timedelta(days=10))
    assert issue(authority, "n", "VEN", KeyKind.ECC, NOW).certificate.ends == authority.certificate.ends


@pytest.mark.parametrize("name", ["", "n" * 65, "a\nb"])
def test_a_name_that_no_certificate_can_carry_is_refused(name: str, authorities):
    with pytest.raises(ValueError, match="1 to 64 printable letters"):
        issue(authorities[KeyKind.ECC], name, "VEN", KeyKind.ECC, NOW)
