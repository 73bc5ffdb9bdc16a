"""A test authority of each kind and a few nodes of it, made once: keys take their time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from console.security.authority import KeyKind, issue, new_authority
from console.security.keys import Identity
from console.security.trust import Trust

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def authorities() -> Mapping[KeyKind, Identity]:
    return {kind: new_authority(kind, NOW) for kind in KeyKind}


@pytest.fixture(scope="session")
def vens(authorities: Mapping[KeyKind, Identity]) -> Mapping[KeyKind, Identity]:
    return {kind: issue(authorities[kind], f"ven-{kind}", "VEN", kind, NOW) for kind in KeyKind}


@pytest.fixture(params=list(KeyKind))
def ven(request: pytest.FixtureRequest, vens: Mapping[KeyKind, Identity]) -> Identity:
    return vens[request.param]


@pytest.fixture(scope="session")
def other_ven(authorities: Mapping[KeyKind, Identity]) -> Identity:
    return issue(authorities[KeyKind.ECC], "ven-other", "VEN", KeyKind.ECC, NOW)


@pytest.fixture
def trust(authorities: Mapping[KeyKind, Identity]) -> Trust:
    return Trust(identity.certificate for identity in authorities.values())
