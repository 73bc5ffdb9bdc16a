"""Scenarios: a lab, a demonstration and a regression test in one TOML file."""
