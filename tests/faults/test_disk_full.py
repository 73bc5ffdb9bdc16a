"""A full disk: what needs no new state is served, the rest is refused, and all that waited is written later."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.openadr import codec
from console.openadr.actions import SeededIds, Service
from console.openadr.commands import KnownVen, VtnSettings
from console.openadr.model import OadrCreatePartyRegistration, OadrPoll
from console.openadr.vtn import Vtn
from console.session.clock import SystemClock
from console.session.session import Session
from console.store.store import Store, StoreError
from console.transport.exchange import Answer
from console.transport.memory import MemoryClient, MemoryServer

POLL = codec.write(OadrPoll(ven_id="ven-1"))

resource = pytest.importorskip("resource", reason="limits of a process are POSIX")


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """What a full disk is to a program: writing fails. (EFBIG instead of ENOSPC, which takes a disk of its own.)"""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def registration(name: str) -> bytes:
    return codec.write(
        OadrCreatePartyRegistration(
            request_id="q",
            profile_name="2.0b",
            transport_name="simpleHttp",
            report_only=False,
            xml_signature=False,
            ven_name=name,
            http_pull_model=True,
        )
    )


async def test_polls_are_served_registrations_wait_and_nothing_is_lost(tmp_path: Path):
    path = tmp_path / "day.oadrrec"
    rng = random.Random(1)
    known = (KnownVen(name="ven-1", ven_id="ven-1", registration_id="r-1"),)
    store = Store.open(path)
    vtn = Session("vtn", Vtn("vtn", SeededIds(rng), rng, VtnSettings(known=known)), store, SystemClock())
    server = MemoryServer(vtn.answer)
    vtn.serve_through(server)
    wire = MemoryClient(server, "10.0.0.7:1")

    async def ask(service: Service, body: bytes) -> Answer:
        answer = await wire.post(service, body)
        assert isinstance(answer, Answer)
        return answer

    assert (await ask(Service.OADR_POLL, POLL)).status == 200
    await store.flush()
    try:
        with no_file_grows_beyond(1):
            refused = await ask(Service.EI_REGISTER_PARTY, registration("ven-2"))
            assert refused.status == 503, "a registration that is not on disk is not confirmed"
            for _ in range(50):
                assert (await ask(Service.OADR_POLL, POLL)).status == 200, "a poll needs no new state"
            with pytest.raises(StoreError, match="cannot be written"):
                await store.flush()
            assert "What is recorded now stays in memory" in store.failure
            assert any("held back" in finding.text for finding in store.findings(3))
        async with asyncio.timeout(20):  # the writer tries again each second
            while store.failure:
                await asyncio.sleep(0.02)
        await store.flush()
        assert (await ask(Service.EI_REGISTER_PARTY, registration("ven-2"))).status == 200
        rows = len(store.log)
    finally:
        await vtn.close()
        store.close()
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
    with Store.open(path) as again:
        assert len(again.log) == rows == 106
        assert again.body(5) == POLL
