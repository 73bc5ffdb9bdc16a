"""Properties are tried on the same examples in every run, and no folder of examples is kept."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("still", derandomize=True, database=None, deadline=None, max_examples=80)
settings.load_profile("still")
