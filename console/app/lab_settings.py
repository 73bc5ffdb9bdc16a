"""How a lab is set up: for the command line, which knows it before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from pathlib import Path

from console.store.retention import Retention


@dataclass(frozen=True, slots=True)
class LabSettings:
    speed: float = 1.0
    seed: int = 0
    at: time = time(11, 30)
    """Local time of day at the house when the lab starts; a recording that reaches further is gone on with."""
    site_file: Path | None = None
    """None: the demo house."""
    store: Path | None = None
    """Where the recording goes; None: a temporary file. Opened by whoever makes the desk."""
    keep: Retention = Retention()
