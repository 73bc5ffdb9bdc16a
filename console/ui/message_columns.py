"""The columns of the message list."""

from __future__ import annotations

GUTTER, NUMBER, DELTA, TIME, WAY, PEER, ELEMENT, SUMMARY, VERDICT = range(9)
COLUMNS = (
    ("", 22),
    ("No.", 54),
    ("Δt s", 46),
    ("Time", 92),
    ("", 20),
    ("Peer", 86),
    ("Message", 214),
    ("Summary", 0),
    ("Verdict", 76),
)
"""Heading and width in px; 0 takes what is left."""
WORDLESS = {GUTTER: "Exchange", WAY: "Direction"}
