"""Why a port cannot be listened on, in a sentence that names who has it where the system tells."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

_LISTENING = "0A"


def why_not(host: str, port: int, error: OSError) -> str:
    """Words for what ``error`` says about listening on ``host`` and ``port``, and what to do."""
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(port)
        by = f" by {owner}" if owner else ""
        return f"Port {port} on {host} is in use{by}. End that program, or choose another port (0 takes a free one)."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} on {host} is not permitted to this user. Choose one from 1024 on, for example 8080."
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is not an address of this machine. Use 127.0.0.1 for this machine alone, 0.0.0.0 for all networks."
        )
    if isinstance(error, socket.gaierror):
        return f"The name {host} is not known to this machine. Give its address, or 127.0.0.1."
    return f"Cannot listen on {host} port {port}: {error.strerror}."


def owner_of(port: int) -> str:
    """Program and pid that listen on a TCP port, as far as Linux tells this user; empty otherwise."""
    try:
        sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
        if not sockets:
            return ""
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and _has_any(process, sockets):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    except OSError:
        return ""
    return ""


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _has_any(process: Path, sockets: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in sockets for link in (process / "fd").iterdir())
    except OSError:
        return False


def files_allowed() -> int:
    """How many files and sockets this process may have open; 1024 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows has no such limit worth knowing
        return 8192
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 2**20
