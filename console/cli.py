"""The command line: ``nodebench [demo|vtn|ven|site|check] …``.

Scripts rely on the commands, options, facts and exit codes as README lists them. Imports are made when a command needs
them, so that ``vtn``, ``ven`` and ``demo --headless`` run without Qt and ``--help`` at once.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.app import recording_commands
from console.app.durations import parse_duration
from console.app.toml_file import FileError

if TYPE_CHECKING:
    from console.app.signatures import Signatures
    from console.store.retention import Retention
    from console.transport.tls import Tls

BAD_USAGE = 2
BASE_PATH = "/OpenADR2/Simple/2.0b"


def duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def time_of_day(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no time of day; write HH:MM") from None


def speed(text: str) -> float:
    try:
        value = float(text.rstrip("x×"))
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is no speed; write a number from 0.01 to 3600, 1 is real time")
    return value


def vtn_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"'{text}' is no URL; write http://host:port{BASE_PATH}")
    return text.rstrip("/")


def limits(text: str) -> Retention:
    from console.app.recording_keeping import read_limits

    try:
        return read_limits(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; write 0 to 65535, 0 takes a free one")
    return int(text)


def days(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 36500:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of days; write 1 to 36500")
    return int(text)


def count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of VENs; write 1 to 100000")
    return int(text)


def place(text: str) -> tuple[str, int]:
    """``HOST:PORT`` to be pushed to at."""
    host, colon, number = text.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or host in ("0.0.0.0", "::"):
        raise argparse.ArgumentTypeError(f"'{text}' is no place a VTN can push to; write HOST:PORT, port 0 takes any")
    return host, port(number)


class UsageError(Exception):
    """Options that do not go together; the text says what to write instead."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="nodebench",
        description="Operator console and device emulator for IEC 62746 / OpenADR 2.0b. Without a command: the window.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    demo = commands.add_parser("demo", help="a VTN, a VEN and a house in one process, over real sockets on loopback")
    demo.add_argument("--headless", action="store_true", help="no window; a summary at the end")
    demo.add_argument("--for", dest="seconds", type=duration, metavar="SECONDS", help="stop after so long (real time)")
    demo.add_argument(
        "--speed", type=speed, default=1.0, metavar="N", help="how much faster than the world (default 1)"
    )
    demo.add_argument("--shots", type=Path, metavar="DIR", help="write a PNG of every view, light and dark, and stop")
    demo.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default 0)")
    demo.add_argument("--at", type=time_of_day, default=time(11, 30), metavar="HH:MM", help="local time at the house")
    demo.add_argument("--site", type=Path, metavar="FILE", help="another house than the demo's")
    demo.add_argument("--store", type=Path, metavar="PATH", help="keep the recording here (default: a temporary file)")
    demo.add_argument("--theme", choices=("light", "dark", "high_contrast"), help="default: as the system says")
    demo.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    demo.add_argument("--json", action="store_true", help="with --headless: facts as JSON lines")

    vtn = commands.add_parser("vtn", help="a headless VTN")
    vtn.add_argument("--host", required=True, metavar="H")
    vtn.add_argument("--port", type=port, required=True, metavar="P", help="0 takes a free one and tells it")
    vtn.add_argument("--vtn-id", default="Nodebench-VTN", metavar="ID")
    vtn.add_argument("--poll-frequency", type=duration, default=timedelta(seconds=10), metavar="10s")
    vtn.add_argument(
        "--event", type=Path, action="append", default=[], metavar="FILE", help="issue once; may be repeated"
    )
    vtn.add_argument("--request-reports", action="store_true", help="ask for every telemetry rID")
    vtn.add_argument("--known", type=Path, metavar="FILE", help="TOML of the only VENs to accept")

    ven = commands.add_parser("ven", help="a headless VEN")
    ven.add_argument("--vtn", type=vtn_url, required=True, metavar="URL", help=f"base, up to and with …{BASE_PATH}")
    ven.add_argument("--name", required=True, metavar="NAME")
    ven.add_argument("--site", type=Path, metavar="FILE", help="TOML of the house whose CEM and devices answer")
    ven.add_argument("--opt", choices=("optIn", "optOut"), help="answer every event so (default: the CEM's opinion)")
    ven.add_argument(
        "--push", type=place, nargs="?", const=("127.0.0.1", 0), metavar="HOST:PORT",
        help="be pushed to here instead of polling (default 127.0.0.1 and a free port)",
    )  # fmt: skip
    ven.add_argument("--count", type=count, default=1, metavar="N", help="so many VENs; {n} in the name is its number")
    for command in (vtn, ven):
        _add_protection(command)
        _add_signatures(command)

    play = commands.add_parser("play", help="play scenarios and say which expectations came true")
    play.add_argument("files", type=Path, nargs="+", metavar="FILE", help="scenario files, or folders of them")
    play.add_argument(
        "--speed", type=speed, metavar="N", help="over real sockets; default: in memory, as fast as it goes"
    )
    play.add_argument("--headless", action="store_true", help="as it is without: there is no player in the window yet")
    play.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    play.add_argument("--json", action="store_true", help="one JSON object per scenario")

    check = commands.add_parser("check", help="what is wrong with messages: files, folders, recordings")
    check.add_argument(
        "paths", nargs="+", metavar="PATH", help="file, folder (*.xml and recordings) or - for standard input"
    )
    check.add_argument("--json", action="store_true", help="one JSON object per message")
    check.add_argument("--strict", action="store_true", help="warnings count as errors")
    check.add_argument("--schema", type=Path, metavar="DIR", help="the official XSDs: adds their verdict")

    certs = commands.add_parser("certs", help="test certificates: make them, or show those of a folder")
    certs.add_argument("folder", type=Path, metavar="DIR")
    certs.add_argument("--ca", action="store_true", help="make a test authority")
    certs.add_argument("--vtn", action="append", default=[], metavar="NAME", help="make a VTN's; may be repeated")
    certs.add_argument("--ven", action="append", default=[], metavar="NAME", help="make a VEN's; may be repeated")
    certs.add_argument("--ecc", action="store_true", help="elliptic-curve keys (default: RSA)")
    certs.add_argument(
        "--host", action="append", default=[], metavar="H", help="further name or address of the nodes made"
    )
    certs.add_argument(
        "--days", type=days, metavar="N", help="how long they are valid (default: 825, authorities 3650)"
    )
    certs.add_argument("--json", action="store_true", help="one JSON object per certificate")

    opened = commands.add_parser("open", help="a recording in a window: every view, no node")
    opened.add_argument("recording", type=Path, metavar="RECORDING")
    opened.add_argument("--for", dest="seconds", type=duration, metavar="SECONDS", help="close after so long")
    opened.add_argument("--shots", type=Path, metavar="DIR", help="write a PNG of every view, light and dark, and stop")
    opened.add_argument("--theme", choices=("light", "dark", "high_contrast"), help="default: as the system says")
    recording_commands.add_to(commands)

    # Its options are the emulator's own: main() hands them on.
    commands.add_parser("site", help="emulated devices and CEM alone", add_help=False)

    for command in (vtn, ven):
        command.add_argument(
            "--store", type=Path, metavar="PATH", help="recording and state (default: a temporary file)"
        )
    for command in (vtn, ven):
        command.add_argument("--for", dest="seconds", type=duration, metavar="S", help="stop after so long")
        command.add_argument("--json", action="store_true", help="facts as JSON lines on standard output")
    for command in (demo, vtn, ven):
        command.add_argument(
            "--keep",
            type=limits,
            metavar="30d,2GB",
            help="age, size beyond which old bodies go; or all",
        )
        command.add_argument("--verbose", action="store_true", help="more of the log on standard error")
    return top


def _add_protection(command: argparse.ArgumentParser) -> None:
    """TLS and strictness, the same for both roles."""
    tls = command.add_argument_group("TLS")
    tls.add_argument(
        "--tls-cert", type=Path, action="append", default=[], metavar="FILE",
        help="own certificate and chain, PEM; once for RSA and once for ECC",
    )  # fmt: skip
    tls.add_argument("--tls-key", type=Path, action="append", default=[], metavar="FILE", help="its key, PEM")
    tls.add_argument("--tls-ca", type=Path, metavar="FILE", help="the authorities to believe, PEM")
    tls.add_argument("--crl", type=Path, metavar="FILE", help="what they revoked, PEM or DER")
    tls.add_argument("--tls13", action="store_true", help="allow TLS 1.3, too")
    command.add_argument(
        "--strict", action="store_true",
        help="end the handshake of peers without a certificate that is believed, take the standard's cipher suites "
        "only, refuse what breaks the schema (default: let them in, say what is wrong, and go on)",
    )  # fmt: skip


def _add_signatures(command: argparse.ArgumentParser) -> None:
    """Message signatures, the same for both roles."""
    group = command.add_argument_group("message signatures")
    group.add_argument("--sign", action="store_true", help="sign what is sent, with the first --tls-cert")
    group.add_argument("--verify", action="store_true", help="act only on messages signed by whom --tls-ca vouches for")
    group.add_argument(
        "--replay-window", type=duration, default=timedelta(seconds=120), metavar="120s",
        help="how far a signature's time may be from ours, before or after (default 2 minutes)",
    )  # fmt: skip
    group.add_argument(
        "--signer", action="append", default=[], metavar="FINGERPRINT", help="only this one may sign; may be repeated"
    )
    group.add_argument(
        "--tolerate", action="append", default=[], choices=("sha1", "exclusive-c14n"), help="take signatures like that"
    )


def _signatures(options: argparse.Namespace) -> Signatures:
    """Raises UsageError."""
    from console.app.signatures import SignatureOptions

    try:
        return SignatureOptions(
            options.sign,
            options.verify,
            tuple(zip(options.tls_cert, options.tls_key, strict=False)),
            options.tls_ca,
            options.crl,
            options.replay_window,
            options.signer,
            options.tolerate,
        ).read()
    except ValueError as error:
        raise UsageError(str(error)) from error


def _protection(options: argparse.Namespace) -> Tls | None:
    """Raises UsageError."""
    from console.transport.exchange import TransportError
    from console.transport.tls import Tls, TlsSettings

    if len(options.tls_cert) != len(options.tls_key):
        raise UsageError("Give --tls-key once for each --tls-cert, in the same order.")
    if options.crl and not options.tls_ca:
        raise UsageError("--crl says what the authorities of --tls-ca revoked: give that, too.")
    if not options.tls_cert and not options.tls_ca:
        return None
    pairs = tuple(zip(options.tls_cert, options.tls_key, strict=True))
    try:
        return Tls(TlsSettings(pairs, options.tls_ca, options.crl, options.strict, options.tls13))
    except TransportError as error:
        raise UsageError(str(error)) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["site"]:
        return _site(words[1:])
    options = parser().parse_args(words)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if getattr(options, "verbose", False) else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        return _COMMANDS[options.command](options)
    except (FileError, UsageError) as error:
        print(error, file=sys.stderr)
        return BAD_USAGE


def _window(options: argparse.Namespace) -> int:
    from console.ui.start import open_console

    return open_console(None)


def _open(options: argparse.Namespace) -> int:
    from console.ui.start import open_recording

    return open_recording(options.recording, seconds=options.seconds, shots=options.shots, theme=options.theme)


def _demo(options: argparse.Namespace) -> int:
    from console.app.lab_settings import LabSettings

    settings = LabSettings(options.speed, options.seed, options.at, options.site, options.store)
    if options.keep:
        settings = replace(settings, keep=options.keep)
    if options.headless:
        from console.app.lab_headless import run_lab
        from console.app.running import run

        return run(lambda: run_lab(settings, options.seconds, options.json))
    from console.ui.start import open_console

    return open_console(
        settings, seconds=options.seconds, shots=options.shots, theme=options.theme, measure=options.measure
    )


def _vtn(options: argparse.Namespace) -> int:
    from console.app.event_file import read_event_file, read_known_file
    from console.app.headless import VtnOptions, run_vtn
    from console.app.running import run

    choices = VtnOptions(
        keep=options.keep,
        host=options.host,
        port=options.port,
        vtn_id=options.vtn_id,
        poll_period=options.poll_frequency,
        events=[read_event_file(file) for file in options.event],
        known=read_known_file(options.known) if options.known else None,
        request_reports=options.request_reports,
        store=options.store,
        seconds=options.seconds,
        as_json=options.json,
        tls=_protection(options),
        strict=options.strict,
        signatures=_signatures(options),
    )
    if choices.tls and choices.tls.server is None:
        raise UsageError("A VTN speaks TLS with a certificate of its own: give --tls-cert and --tls-key, too.")
    return run(lambda: run_vtn(choices))


def _ven(options: argparse.Namespace) -> int:
    from console.app.headless import VenOptions, run_ven
    from console.app.running import run

    if options.count > 1 and "{n}" not in options.name:
        raise UsageError(f"{options.count} VENs need a name each: write {{n}} where its number goes.")
    if options.count > 1 and options.site:
        raise UsageError("--site is one house and goes with one VEN.")
    choices = VenOptions(
        keep=options.keep,
        url=options.vtn,
        name=options.name,
        site=options.site,
        opt=options.opt,
        store=options.store,
        seconds=options.seconds,
        as_json=options.json,
        tls=_protection(options),
        strict=options.strict,
        signatures=_signatures(options),
        push=options.push,
        count=options.count,
    )
    if choices.push and choices.tls and choices.tls.server is None:
        raise UsageError("To be pushed to by TLS, a VEN needs a certificate: give --tls-cert and --tls-key, too.")
    return run(lambda: run_ven(choices))


def _check(options: argparse.Namespace) -> int:
    from console.app.check import check_paths

    return check_paths(options.paths, as_json=options.json, strict=options.strict, schema=options.schema)


def _certs(options: argparse.Namespace) -> int:
    from console.app.certs import CertsOptions, certs_command
    from console.security.authority import KeyKind
    from console.session.clock import SystemClock

    kind = KeyKind.ECC if options.ecc else KeyKind.RSA
    choices = CertsOptions(
        options.folder, options.ca, options.vtn, options.ven, kind, options.host, options.days, options.json
    )
    return certs_command(choices, SystemClock().now())


def _site(arguments: Sequence[str]) -> int:
    from console.app.site_bridge import site_command

    return site_command(arguments)


def _play(options: argparse.Namespace) -> int:
    from console.app.running import run
    from console.app.scenario.play import PlayOptions, play

    choices = PlayOptions(options.files, options.speed, options.junit, options.json)
    return run(lambda: play(choices))


_COMMANDS = {None: _window, "demo": _demo, "vtn": _vtn, "ven": _ven, "play": _play, "certs": _certs, "check": _check}
_COMMANDS |= {"open": _open, **recording_commands.COMMANDS}
