"""OadrPoll (clause 6.5): how a pull VEN asks whether there is anything for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.openadr.elements import STRING, element, xml
from console.openadr.model.common import Payload


@element("oadr:oadrPoll", type="oadr:oadrPollType", clause="6.5", meaning="Asks whether there is anything for the VEN.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrPoll(Payload):
    """VEN to VTN; answered by one message owed, or oadrResponse (rule 500)."""

    ven_id: str = field(metadata=xml("ei:venID", STRING, "The VEN."))
