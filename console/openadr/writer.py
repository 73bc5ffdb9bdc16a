"""Messages to bytes: one function per class, generated from the element table, that fills one text.

What it writes is UTF-8 in an oadrPayload/oadrSignedObject envelope and declares only the namespaces it uses. It trusts
that the message is what its types say; ``ValueError`` for text that XML cannot carry is a fault of ours, not a peer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from console.openadr.content import Particle, described, particles_of, particles_of_unit
from console.openadr.elements import FORMS, GROUPS, NAMESPACES, RAW, Lexical
from console.openadr.lexical import escape, writer_of
from console.openadr.model import ItemBase, Payload
from console.openadr.model.item import UNITS

Write = Callable[[Any], str]

_DECLARED = ("oadr", "ei", "pyld", "emix", "power", "scale", "xcal", "strm")
_ALWAYS = ("oadr", "ei")
_OPEN = {prefix: f"<{prefix}:" for prefix in _DECLARED}


def raw_text(content: bytes) -> str:
    """Bytes of a stand-alone element (``reader.raw_bytes``) as they go into the message."""
    return content.decode()


class _Source:
    """Source text of the writing functions and the objects they name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"raw_text": raw_text, "escape": escape}
        self._locals = 0

    def constant(self, value: Any, stem: str) -> str:
        name = f"{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def function(self, name: str, particles: Iterable[Particle]) -> None:
        """A function from the object to the text of its element's content."""
        self._locals = 0
        self.lines.append(f"def {name}(o):")
        pieces = "".join(self.piece(particle) for particle in particles)
        self.lines.append(f" return f'''{pieces}'''")

    def local(self, expression: str) -> str:
        """A statement that keeps ``expression`` in a local; its use in an f-string."""
        self._locals += 1
        self.lines.append(f" v{self._locals} = {expression}")
        return f"{{v{self._locals}}}"

    def piece(self, particle: Particle) -> str:
        """Part of an f-string for one particle of the object ``o``."""
        leaf = particle.leaf
        if particle.inner and not particle.chain:
            if particle.card != "?":
                inner = "".join(self.piece(part) for part in particle.inner)
                return f"<{particle.name}>{inner}</{particle.name}>"
            return self._optional_wrapper(particle)
        if not leaf.field:
            return f"<{particle.name}/>"
        if particle.repeated:
            return self.local(f"''.join([f'''{self.single(particle, 'x')}''' for x in o.{leaf.field}])")
        if particle.card == "?":
            value = self.single(particle, f"o.{leaf.field}")
            return self.local(f"'' if o.{leaf.field} is None else f'''{value}'''")
        return self.single(particle, f"o.{leaf.field}")

    def _optional_wrapper(self, particle: Particle) -> str:
        present = " or ".join(_presence(particle))
        start = len(self.lines)
        inner = "".join(self.piece(part) for part in particle.inner)
        nested = self.lines[start:]
        if not nested:
            return self.local(f"f'''<{particle.name}>{inner}</{particle.name}>''' if {present} else ''")
        self._locals += 1
        name = f"v{self._locals}"
        self.lines[start:] = [
            f" {name} = ''",
            f" if {present}:",
            *(f" {line}" for line in nested),
            f"  {name} = f'''<{particle.name}>{inner}</{particle.name}>'''",
        ]
        return f"{{{name}}}"

    def single(self, particle: Particle, value: str) -> str:
        """Part of an f-string for one element holding the expression ``value``."""
        if particle.name.startswith("@"):
            return f"{{{particle.name[1:]}[type({value})]({value})}}"
        if particle.chain:
            inner = self.single(particle.inner[0], value)
        elif particle.kind is RAW:
            return f"{{raw_text({value})}}"
        elif isinstance(particle.kind, Lexical):
            inner = f"{{{self.constant(writer_of(particle.kind), 'w')}({value})}}"
        elif particle.kind is not None and issubclass(particle.kind, Payload):
            return f"{{nested_{particle.kind.__name__}({value})}}"
        else:
            inner = f"{{write_{particle.kind.__name__}({value})}}" if particle.kind else ""
        return f"<{particle.name}>{inner}</{particle.name}>"


def _presence(particle: Particle) -> Iterable[str]:
    """Expressions of which one is true where an optional wrapper has something to hold."""
    for inner in particle.inner:
        if inner.inner and not inner.chain:
            yield from _presence(inner)
        elif inner.repeated:
            yield f"o.{inner.leaf.field}"
        else:
            yield f"o.{inner.leaf.field} is not None"


def _element_writer(name: str, write: Write) -> Write:
    opening, closing = f"<{name}>", f"</{name}>"

    def element(value: Any) -> str:
        return f"{opening}{write(value)}{closing}"

    return element


def _payload_writer(name: str, write: Write) -> Write:
    def payload(message: Payload) -> str:
        version = f' ei:schemaVersion="{escape(message.schema_version)}"' if message.schema_version else ""
        return f"<{name}{version}>{write(message)}</{name}>"

    return payload


def _compile_all() -> dict[type[Any], Write]:
    source = _Source()
    names = source.names
    for cls in described():
        source.function(f"write_{cls.__name__}", particles_of(cls))
    for unit in UNITS:
        source.function(f"write_unit_{unit.replace(':', '__')}", particles_of_unit(unit))
    exec("\n".join(source.lines), names)
    units = {unit: _element_writer(unit, names[f"write_unit_{unit.replace(':', '__')}"]) for unit in UNITS}

    def write_item(item: ItemBase) -> str:
        try:
            return units[item.element](item)
        except (AttributeError, TypeError):
            raise ValueError(f"{item.element} cannot be written: a part of it is missing") from None

    for group, members in GROUPS.items():
        names[group] = {
            cls: write_item if cls is ItemBase else _element_writer(name, names[f"write_{cls.__name__}"])
            for name, cls in members.items()
        }
    payloads: dict[type[Any], Write] = {}
    for cls, form in FORMS.items():
        if issubclass(cls, Payload):
            payloads[cls] = names[f"nested_{cls.__name__}"] = _payload_writer(form.name, names[f"write_{cls.__name__}"])
    return payloads


_PAYLOADS = _compile_all()


def payload_text(message: Payload) -> str:
    """The payload element alone, its prefixes not declared."""
    return _PAYLOADS[type(message)](message)


def envelope_text(message: Payload, object_id: str = "") -> str:
    """The whole document without XML declaration; ``object_id`` becomes the ``oadr:Id`` a signature refers to."""
    body = payload_text(message)
    used = [prefix for prefix in _DECLARED if prefix in _ALWAYS or _OPEN[prefix] in body]
    declarations = " ".join(f'xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in used)
    identity = f' oadr:Id="{escape(object_id)}"' if object_id else ""
    return (
        f"<oadr:oadrPayload {declarations}><oadr:oadrSignedObject{identity}>{body}"
        "</oadr:oadrSignedObject></oadr:oadrPayload>"
    )
