"""One stored message made readable: derived anew from its bytes each time it is asked for, nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from lxml import etree

from console.app.views import Inspection, MessageView
from console.openadr import codec, explain, rules
from console.openadr.findings import Finding, Severity
from console.openadr.model import ItemBase
from console.store.database import StoreError
from console.store.reading import Reader

_PRETTY_LIMIT = 2 * 2**20


def inspect_message(
    store: Reader, view: MessageView, own_name: str, tz: tzinfo, units: Mapping[str, ItemBase] | None = None
) -> Inspection:
    """Dissect, explain and lay out the message of ``view``; never raises for what is in it.

    ``units`` gives the item base of each rID, since report data name none.
    """
    lost: tuple[Finding, ...] = ()
    try:
        body = store.body(view.number)
    except StoreError as error:
        body, lost = b"", (Finding("store", Severity.ERROR, str(error)),)
    dissection = codec.dissect(body)
    sender, receiver = (own_name, view.peer) if view.outgoing else (view.peer, own_name)
    findings: tuple[Finding, ...] = (*lost, *store.findings(view.number))
    if lost:
        dissection = replace(dissection, findings=())
    if not body and view.reply_to and not findings:
        dissection = replace(dissection, findings=())  # an empty answer says all there is to say
    derived = tuple(dissection.findings)
    if dissection.message is not None:
        derived += tuple(rules.check(dissection.message, profile=dissection.profile))
    merged = derived + tuple(finding for finding in findings if finding not in derived)
    if dissection.message is None:
        nothing = f"{sender} answers {receiver} with an empty body." if not body else "This is no OpenADR message."
        sentence = merged[0].text if merged else nothing
    else:
        sentence = explain.sentence(dissection.message, sender, receiver, tz, units)
    return Inspection(
        view=view,
        sentence=sentence,
        tree=explain.tree(dissection, tz, merged),
        findings=merged,
        body=body,
        pretty=pretty(body),
        headers=store.headers(view.number),
        start_line=store.head(view.number).start_line,
        recorded=_recorded(view, tz),
    )


def _recorded(view: MessageView, tz: tzinfo) -> str:
    local = view.time.astimezone(tz)
    offset = local.strftime("%z")
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d} {offset[:3]}:{offset[3:]}"


def pretty(body: bytes) -> str:
    """Indented source; the text as it came where it is no well-formed XML or very large."""
    if len(body) > _PRETTY_LIMIT or b"<!DOCTYPE" in body:
        return body[:_PRETTY_LIMIT].decode("utf-8", "replace")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return body.decode("utf-8", "replace")
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode")
