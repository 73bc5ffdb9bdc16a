"""Which doors of a site are open, as data: S2, OCPP, SunSpec. Port 0 is any free one, None is shut."""

from __future__ import annotations

from dataclasses import dataclass


class PortTrouble(OSError):
    """A port that cannot be opened; one sentence for people."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a site file or a command line asks for; all on loopback."""

    s2: int | None = None
    """The energy manager's WebSocket, where foreign resource managers plug in."""
    s2_token: str = ""
    s2_handshake: bool = True
    csms: int | None = None
    """The site's own CSMS, where foreign charge points connect."""
    csms_password: str = ""
    sunspec: tuple[tuple[str, int], ...] = ()
    """Device and the port its SunSpec unit is served at."""
    ocpp: tuple[tuple[str, str], ...] = ()
    """Charge point and the CSMS it dials."""

    @property
    def any(self) -> bool:
        """Whether any is open."""
        return self != Ports()
