"""A message to start from for every payload of every service, built from the element table.

A preset holds what its payload needs and what makes it tell something, in the order of the standard, with variables
(:mod:`console.app.composer_variables`) where a value belongs to the moment or to the node. Filled in, each is valid by
the schema and breaks no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from console.openadr.actions import Service
from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS, NAMESPACES, RAW, Lexical
from console.openadr.lexical import is_duration
from console.openadr.model import PAYLOADS

DECLARED = ("oadr", "ei", "pyld", "emix", "power", "scale", "xcal", "strm")

VEN, VTN, EITHER = "VEN", "VTN", "VEN or VTN"


@dataclass(frozen=True, slots=True)
class Preset:
    """One message to start from."""

    element: str
    """``oadrPoll``."""
    service: Service
    """Where it is sent, or what it answers."""
    sender: str
    """``VEN``, ``VTN`` or ``VEN or VTN``."""
    meaning: str
    text: str
    """Indented XML with variables."""


_SERVICES = {
    "OadrPoll": (Service.OADR_POLL, VEN),
    "OadrRequestEvent": (Service.EI_EVENT, VEN),
    "OadrCreatedEvent": (Service.EI_EVENT, VEN),
    "OadrDistributeEvent": (Service.EI_EVENT, VTN),
    "OadrResponse": (Service.EI_EVENT, EITHER),
    "OadrRegisterReport": (Service.EI_REPORT, EITHER),
    "OadrRegisteredReport": (Service.EI_REPORT, EITHER),
    "OadrCreateReport": (Service.EI_REPORT, EITHER),
    "OadrCreatedReport": (Service.EI_REPORT, EITHER),
    "OadrUpdateReport": (Service.EI_REPORT, EITHER),
    "OadrUpdatedReport": (Service.EI_REPORT, EITHER),
    "OadrCancelReport": (Service.EI_REPORT, EITHER),
    "OadrCanceledReport": (Service.EI_REPORT, EITHER),
    "OadrCreateOpt": (Service.EI_OPT, VEN),
    "OadrCreatedOpt": (Service.EI_OPT, VTN),
    "OadrCancelOpt": (Service.EI_OPT, VEN),
    "OadrCanceledOpt": (Service.EI_OPT, VTN),
    "OadrQueryRegistration": (Service.EI_REGISTER_PARTY, VEN),
    "OadrCreatePartyRegistration": (Service.EI_REGISTER_PARTY, VEN),
    "OadrCreatedPartyRegistration": (Service.EI_REGISTER_PARTY, VTN),
    "OadrCancelPartyRegistration": (Service.EI_REGISTER_PARTY, EITHER),
    "OadrCanceledPartyRegistration": (Service.EI_REGISTER_PARTY, EITHER),
    "OadrRequestReregistration": (Service.EI_REGISTER_PARTY, VTN),
}

_TEXTS = {
    "ei:venID": "${venID}",
    "ei:vtnID": "${vtnID}",
    "pyld:requestID": "${requestID}",
    "ei:registrationID": "${registrationID}",
    "ei:eventID": "${eventID}",
    "ei:optID": "${optID}",
    "ei:reportRequestID": "${reportRequestID}",
    "ei:reportSpecifierID": "telemetry",
    "ei:rID": "meter",
    "ei:createdDateTime": "${now}",
    "xcal:date-time": "${now+15m}",
    "xcal:text": "0",
    "ei:responseCode": "200",
    "ei:responseDescription": "OK",
    "ei:modificationNumber": "0",
    "ei:priority": "1",
    "ei:eventStatus": "far",
    "emix:marketContext": "http://market.example",
    "ei:signalName": "SIMPLE",
    "ei:signalType": "level",
    "ei:signalID": "signal-1",
    "ei:value": "1",
    "oadr:oadrResponseRequired": "always",
    "ei:optType": "optIn",
    "ei:optReason": "economic",
    "ei:reportName": "TELEMETRY_USAGE",
    "ei:reportType": "usage",
    "ei:readingType": "Direct Read",
    "power:itemDescription": "RealPower",
    "power:itemUnits": "W",
    "scale:siScaleCode": "none",
    "power:hertz": "50",
    "power:voltage": "230",
    "power:ac": "true",
    "oadr:oadrProfileName": "2.0b",
    "oadr:oadrTransportName": "simpleHttp",
    "oadr:oadrVenName": "${venName}",
    "oadr:oadrReportOnly": "false",
    "oadr:oadrXmlSignature": "false",
    "oadr:oadrHttpPullModel": "true",
    "oadr:oadrOnChange": "false",
    "oadr:oadrMinPeriod": "PT10S",
    "oadr:oadrMaxPeriod": "PT1H",
    "pyld:reportToFollow": "false",
    "power:node": "node-1",
    "power:mrid": "meter-1",
}
"""Text of an element, wherever it stands."""

_PLACED = {
    "OadrRegisterReport": {"ei:reportRequestID": "0", "ei:reportName": "METADATA_TELEMETRY_USAGE"},
    "OadrCreateReport": {"ei:readingType": "x-notApplicable", "xcal:granularity": "PT1M", "xcal:date-time": "${now}"},
    "OadrRegisteredReport": {"ei:readingType": "x-notApplicable", "xcal:granularity": "PT1M"},
    "OadrUpdateReport": {"xcal:date-time": "${now-1m}", "ei:value": "4200"},
    "OadrCreatedEvent": {"ei:eiResponse/pyld:requestID": ""},
    "OadrDistributeEvent": {"xcal:tolerate": "PT0S", "ei:x-eiNotification": "PT0S"},
}
"""The same for one payload only, where it differs: below a parent, in all of a parent, or wherever it stands."""

_OPTIONAL = {
    "OadrDistributeEvent": {
        "oadr:oadrEvent", "ei:priority", "xcal:duration", "xcal:uid", "ei:x-eiNotification",
    },
    "OadrCreatedEvent": {"ei:eventResponses", "ei:eventResponse"},
    "OadrResponse": {"ei:venID"},
    "OadrCreateOpt": {"ei:qualifiedEventID"},
    "OadrCanceledOpt": {"ei:optID"},
    "OadrRegisterReport": {
        "oadr:oadrReport", "oadr:oadrReportDescription", "@itemBase", "oadr:oadrSamplingRate", "ei:reportName",
        "xcal:duration", "ei:venID", "ei:reportDataSource", "ei:resourceID",
    },
    "OadrRegisteredReport": {"ei:venID"},
    "OadrCreateReport": {"ei:venID", "ei:reportInterval", "xcal:duration"},
    "OadrCreatedReport": {"ei:venID", "oadr:oadrPendingReports", "ei:reportRequestID"},
    "OadrUpdateReport": {
        "oadr:oadrReport", "strm:intervals", "ei:interval", "xcal:dtstart", "ei:reportName", "ei:venID",
    },
    "OadrUpdatedReport": {"ei:venID"},
    "OadrCancelReport": {"ei:venID"},
    "OadrCanceledReport": {"ei:venID", "oadr:oadrPendingReports"},
    "OadrCreatePartyRegistration": {"oadr:oadrVenName", "oadr:oadrHttpPullModel"},
    "OadrCreatedPartyRegistration": {"ei:registrationID", "ei:venID", "oadr:oadrRequestedOadrPollFreq"},
    "OadrCancelPartyRegistration": {"ei:venID"},
    "OadrCanceledPartyRegistration": {"ei:registrationID", "ei:venID"},
}  # fmt: skip
"""What a payload may lack and its preset has."""

_MEMBERS = {"streamPayloadBase": "ei:signalPayload", "payloadBase": "ei:payloadFloat", "itemBase": "power:powerReal"}


@cache
def presets() -> tuple[Preset, ...]:
    """One for each payload, by service and name."""
    order = list(Service)
    made = [_preset(cls) for cls in PAYLOADS]
    return tuple(sorted(made, key=lambda preset: (order.index(preset.service), preset.element)))


def preset(element: str) -> Preset:
    """The one of a payload's element, such as ``oadrPoll``. Raises KeyError."""
    return next((each for each in presets() if each.element == element), None) or _none(element)


def _none(element: str) -> Preset:
    raise KeyError(element)


def _preset(cls: type[Any]) -> Preset:
    service, sender = _SERVICES[cls.__name__]
    form = FORMS[cls]
    text = "\n".join(_Building(cls).lines())
    return Preset(form.name.partition(":")[2], service, sender, form.meaning, text)


class _Building:
    """The source of one preset."""

    def __init__(self, cls: type[Any]) -> None:
        self._cls = cls
        self._optional = _OPTIONAL.get(cls.__name__, set[str]())
        self._placed = _PLACED.get(cls.__name__, {})

    def lines(self) -> Iterator[str]:
        name = FORMS[self._cls].name
        inside = [*self.sequence(content_of(name, self._cls), 3, name)]
        used = [
            prefix for prefix in DECLARED if prefix in ("oadr", "ei") or any(f"<{prefix}:" in line for line in inside)
        ]
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield "<oadr:oadrPayload"
        for prefix in used:
            yield f'    xmlns:{prefix}="{NAMESPACES[prefix]}"' + (">" if prefix == used[-1] else "")
        yield "  <oadr:oadrSignedObject>"
        yield f'    <{name} ei:schemaVersion="2.0b">'
        yield from inside
        yield f"    </{name}>"
        yield "  </oadr:oadrSignedObject>"
        yield "</oadr:oadrPayload>"

    def sequence(self, particles: tuple[Particle, ...], depth: int, parent: str) -> Iterator[str]:
        for particle in particles:
            if particle.required or particle.name in self._optional:
                yield from self.element(particle, depth, parent)

    def element(self, particle: Particle, depth: int, parent: str) -> Iterator[str]:
        name, kind = particle.name, particle.kind
        if name.startswith("@"):
            name = self.member(name[1:])
            kind = GROUPS[particle.name[1:]][name]
        indent = "  " * depth
        if isinstance(kind, Lexical) and kind is not RAW:
            yield f"{indent}<{name}>{self.text(name, kind, parent)}</{name}>"
            return
        inside: list[str] = []
        if kind is None:
            inside = list(self.sequence(particle.inner, depth + 1, name))
        elif isinstance(kind, type):
            inside = list(self.sequence(content_of(name, kind), depth + 1, name))
        if inside:
            yield f"{indent}<{name}>"
            yield from inside
            yield f"{indent}</{name}>"
        else:
            yield f"{indent}<{name}/>"

    def member(self, group: str) -> str:
        if group == "streamPayloadBase" and self._cls.__name__ == "OadrUpdateReport":
            return "oadr:oadrReportPayload"
        return _MEMBERS[group]

    def text(self, name: str, lexical: Lexical, parent: str) -> str:
        for place in (f"{parent}/{name}", parent, name):
            if place in self._placed:
                return self._placed[place]
        if name in _TEXTS:
            return _TEXTS[name]
        if lexical.fixed is not None:
            return lexical.fixed
        if is_duration(lexical):
            return "PT1H"
        return (
            lexical.values[0] if lexical.values else {"dateTime": "${now}", "boolean": "false"}.get(lexical.base, "1")
        )
