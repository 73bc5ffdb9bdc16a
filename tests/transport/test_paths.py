"""Paths, codings and port owners: the small parts under simple HTTP."""

from __future__ import annotations

import os
import socket
import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.openadr.actions import Service
from console.transport import coding
from console.transport.paths import BASE, find_service, normalised, split_base
from console.transport.ports import owner_of


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a/b/../c", "/a/c"),
        ("/../a", "/a"),
        ("/a/./b", "/a/b"),
        ("/%7euser/%2F", "/~user/%2F"),
        ("/a?b=/../c", "/a"),
        ("http://h/a/../b", "/b"),
        ("*", "/"),
    ],
)
def test_a_path_is_normalised_as_rfc_3986_says(target, path):
    assert normalised(target) == path


@given(st.text(max_size=40))
def test_no_target_is_too_odd_to_be_told(target):
    service, findings = find_service("/" + target)
    assert service is None
    assert findings[0].text


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=5), max_size=4), st.sampled_from(list(Service)))
def test_any_prefix_is_taken(segments, service):
    prefix = "".join(f"/{quote(segment, safe='')}x" for segment in segments)
    assert find_service(f"{prefix}{BASE}/{service}") == (service, ())


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate"]))
def test_what_is_packed_is_unpacked_within_its_limit(body, name):
    packed = coding.encoded(body, name)
    assert coding.decoded(packed, name, len(body)) == body
    if body:
        with pytest.raises(coding.CodingError, match="unpacks to more"):
            coding.decoded(packed, name, len(body) - 1)
        with pytest.raises(coding.CodingError, match="ends too early|but it is not"):
            coding.decoded(packed[:-1], name, len(body))


@given(st.binary(max_size=100), st.sampled_from(["gzip", "deflate", "br", "gzip, gzip", "identity", ""]))
def test_bytes_that_claim_a_coding_never_raise_anything_else(body, name):
    try:
        assert len(coding.decoded(body, name, 1000)) <= max(1000, len(body))
    except coding.CodingError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("accepted", "name"),
    [
        ("", ""),
        ("gzip, deflate", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0.2, deflate;q=0.8", "deflate"),
        ("gzip;q=0", ""),
        ("br;q=1, *;q=0.5", ""),
        ("gzip;q=x", ""),
    ],
)
def test_the_answer_is_packed_as_the_client_likes_best(accepted, name):
    assert coding.chosen(accepted) == name


def test_a_base_url_loses_its_slash_and_keeps_its_prefix():
    assert split_base(" http://h:80/x/OpenADR2/Simple/2.0b/ ").geturl() == "http://h:80/x/OpenADR2/Simple/2.0b"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells through /proc who listens")
def test_who_listens_on_a_port_is_named():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert owner_of(port) == ""
        listener.listen()
        assert owner_of(port).endswith(f"(pid {os.getpid()})")
