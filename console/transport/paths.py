"""Which service a path means (profile 9.1): ``…/OpenADR2/Simple/2.0b/<Service>`` after RFC 3986 normalisation."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from console.openadr.actions import Service
from console.openadr.findings import Finding, Severity

BASE = "/OpenADR2/Simple/2.0b"

_CLAUSE = "9.1"
_UNRESERVED = set(string.ascii_letters + string.digits + "-._~")
_SERVICES = {service.value: service for service in Service}
_KNOWN = ", ".join(_SERVICES)


def normalised(target: str) -> str:
    """The path of a request target: escapes of unreserved characters undone, dot segments taken out."""
    path = urlsplit(target).path if "://" in target else target.partition("?")[0].partition("#")[0]
    path = re.sub("%([0-9A-Fa-f]{2})", _plain_where_allowed, path)
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


@lru_cache(maxsize=256)
def find_service(target: str) -> tuple[Service | None, tuple[Finding, ...]]:
    """The service a request target names, and what is odd about it; None with a finding where it names none."""
    path = normalised(target)
    lean = re.sub("/+", "/", path).rstrip("/")
    base, _, name = lean.rpartition("/")
    if base.endswith(BASE) and name in _SERVICES:
        findings = () if lean == path else (_odd(target, lean),)
        return _SERVICES[name], findings
    return None, (_unknown(target, base, name),)


def _odd(target: str, lean: str) -> Finding:
    text = (
        f"The path {target} has slashes too many; it was taken for {lean}. Join the base URL and the service with one."
    )
    return Finding("http", Severity.WARNING, text, clause=_CLAUSE)


def _unknown(target: str, base: str, name: str) -> Finding:
    if base.endswith("/OpenADR2/Simple"):
        text = f"{target} is a path of OpenADR 2.0a, which is not spoken here; 2.0b has …{BASE}/{name}."
    elif base.endswith(BASE):
        text = f"There is no service {name}. There are {_KNOWN}; capitals count."
    else:
        text = f"The path {target} is not one of OpenADR 2.0b; it has to end with {BASE} and one of {_KNOWN}."
    return Finding("http", Severity.ERROR, text, clause=_CLAUSE)


def split_base(url: str) -> SplitResult:
    """A base URL in its parts, without a slash at its end. Raises ValueError in words for what is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url} is not a URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{url} is not a base URL; it looks like http://host:8080{BASE}.")
    if parts.path.rstrip("/").rpartition("/")[2] in _SERVICES:
        raise ValueError(f"{url} names a service; give the base URL up to and including {BASE}.")
    return parts._replace(path=parts.path.rstrip("/"), query="", fragment="")


def _plain_where_allowed(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()
