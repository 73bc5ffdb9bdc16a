"""What a desk reads out of a history, the same for a store that grows and a recording that is only read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.app.views import EventView, FindingView, ReportView
from console.openadr.model import ItemBase
from console.openadr.units import item_base_of
from console.store.body_search import BodySearch
from console.store.filter import FilterError
from console.store.filter_fields import field_of
from console.store.reading import Reader


def units_by_r_id(reports: Iterable[ReportView]) -> dict[str, ItemBase]:
    """Item base of each rID, since report data name none."""
    known = ((report.r_id, item_base_of(report.unit)) for report in reports if report.unit)
    return {r_id: unit for r_id, unit in known if unit is not None}


def start_search(reader: Reader, text: str, session: str) -> BodySearch | None:
    """Look into the bodies a filter text leaves in doubt; None where there are none or the text is no filter."""
    try:
        rows, tests = reader.log.in_doubt(text, session), reader.log.body_tests(text)
    except FilterError:
        return None
    if not len(rows):
        return None
    search = BodySearch(reader, tests, rows)
    search.start()
    return search


def values_of(
    reader: Reader, field: str, events: Iterable[EventView], findings: Iterable[FindingView]
) -> Sequence[str]:
    """What a field of the filter may be compared with, as far as it has been seen; for completion."""
    known = field_of(field)
    if known is None:
        return ()
    if known.name == "event":
        return tuple(dict.fromkeys(view.event.event_id for view in events))
    if known.name == "rule":
        return tuple(dict.fromkeys(finding.rule for finding in findings))
    return reader.log.values(known.column) if known.kind == "text" and known.pool == "names" else ()
