"""Conformance rules that one message alone can break, each by its number.

:func:`check` runs those of a message's class. Rules 1 (times) and 45 (schemaLocation) show in the text only and are
found by ``codec.dissect``; rules over a sequence of messages live with the roles.
"""

from console.openadr.rules import events, opts, registration, reports
from console.openadr.rules.register import RULES, Found, Rule, check, rule

__all__ = ["RULES", "Found", "Rule", "check", "events", "opts", "registration", "reports", "rule"]
