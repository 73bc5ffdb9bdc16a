"""The VEN's role."""

from __future__ import annotations

import random
from datetime import datetime

from console.openadr.actions import Action, Ids, Input
from console.openadr.commands import Decide, VenSettings


class Ven:
    def __init__(
        self,
        ven_name: str,
        ids: Ids,
        rng: random.Random,
        settings: VenSettings | None = None,
        decide: Decide | None = None,
    ) -> None:
        self.ven_name = ven_name
        self.ids = ids
        self.rng = rng
        self.settings = settings or VenSettings()
        self.decide = decide

    def start(self, now: datetime) -> list[Action]:
        raise NotImplementedError

    def handle(self, given: Input, now: datetime) -> list[Action]:
        raise NotImplementedError

    def state(self) -> dict[str, object]:
        raise NotImplementedError

    def restore(self, state: dict[str, object], now: datetime) -> list[Action]:
        raise NotImplementedError
