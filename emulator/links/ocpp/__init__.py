"""OCPP: a charge point that dials any CSMS, and a small CSMS between charge points and the energy manager."""
