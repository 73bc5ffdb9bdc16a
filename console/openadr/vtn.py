"""The VTN's role."""

from __future__ import annotations

import random
from datetime import datetime

from console.openadr.actions import Action, Ids, Input
from console.openadr.commands import VtnSettings


class Vtn:
    def __init__(self, vtn_id: str, ids: Ids, rng: random.Random, settings: VtnSettings | None = None) -> None:
        self.vtn_id = vtn_id
        self.ids = ids
        self.rng = rng
        self.settings = settings or VtnSettings()

    def start(self, now: datetime) -> list[Action]:
        raise NotImplementedError

    def handle(self, given: Input, now: datetime) -> list[Action]:
        raise NotImplementedError

    def state(self) -> dict[str, object]:
        raise NotImplementedError

    def restore(self, state: dict[str, object], now: datetime) -> list[Action]:
        raise NotImplementedError
