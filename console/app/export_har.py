"""HTTP exchanges as an HTTP Archive (HAR 1.2), written entry by entry so that a long one needs no memory."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.app.export import Exported

_CREATOR = {"name": "Nodebench", "version": "0.1.0"}
_MOST_WAITING = 10_000
"""Requests kept for their answers; beyond them the oldest is written unanswered."""


def har_document(messages: Iterable[Exported], path: Path) -> tuple[int, int]:
    """Write the exchanges among ``messages``; how many, and how many messages are no part of one.

    A request whose answer is not among them stands there with status 0, as HAR has it for requests that failed; an
    answer without its request is left out.
    """
    waiting: dict[int, Exported] = {}
    written = others = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"log": {"version": "1.2", "creator": _CREATOR, "entries": []}})[:-3])

        def put(request: Exported, answer: Exported | None) -> None:
            nonlocal written
            file.write(",\n" if written else "\n")
            file.write(json.dumps(_entry(request, answer), ensure_ascii=False))
            written += 1

        for message in messages:
            if not message.head.start_line:
                others += 1
            elif not message.view.reply_to:
                waiting[message.view.number] = message
                if len(waiting) > _MOST_WAITING:
                    put(waiting.pop(next(iter(waiting))), None)
            elif message.view.reply_to in waiting:
                put(waiting.pop(message.view.reply_to), message)
            else:
                others += 1
        for request in waiting.values():
            put(request, None)
        file.write("\n]}}\n")
    return written, others


def _entry(request: Exported, answer: Exported | None) -> dict[str, Any]:
    took = _milliseconds(answer)
    view = request.view
    way = "sent" if view.outgoing else "received"
    return {
        "startedDateTime": view.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": took,
        "request": _request(request),
        "response": _no_response() if answer is None else _response(answer),
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "comment": f"{request.session} {way} No. {view.number}: {request.summary}",
    }


def _milliseconds(answer: Exported | None) -> float:
    latency = None if answer is None else answer.view.latency
    return 0 if latency is None else round(latency.total_seconds() * 1000, 3)


def _request(message: Exported) -> dict[str, Any]:
    method, _, target = message.head.start_line.partition(" ")
    host = next((value for name, value in message.head.headers if name.lower() == "host"), message.head.address)
    made: dict[str, Any] = {
        "method": method,
        "url": target if "://" in target else f"http://{host}{target}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(message),
        "queryString": [],
        "headersSize": -1,
        "bodySize": message.view.size,
    }
    if message.body:
        made["postData"] = {"mimeType": _kind(message), "params": [], "text": message.body.decode("utf-8", "replace")}
    return made


def _response(message: Exported) -> dict[str, Any]:
    content: dict[str, Any] = {"size": len(message.body), "mimeType": _kind(message)}
    try:
        content["text"] = message.body.decode("utf-8")
    except UnicodeDecodeError:
        content |= {"text": b64encode(message.body).decode("ascii"), "encoding": "base64"}
    _, _, phrase = message.head.start_line.partition(" ")
    return {
        "status": message.view.status,
        "statusText": phrase,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(message),
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": message.view.size,
    }


def _no_response() -> dict[str, Any]:
    return {
        "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [], "redirectURL": "",
        "content": {"size": 0, "mimeType": ""}, "headersSize": -1, "bodySize": -1, "comment": "no answer",
    }  # fmt: skip


def _headers(message: Exported) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in message.head.headers]


def _kind(message: Exported) -> str:
    return next((value for name, value in message.head.headers if name.lower() == "content-type"), "")
