"""XML from strangers: bytes become a tree only within limits, by one parser that resolves and fetches nothing.

What is not a plain tree of elements, attributes and text is refused before the parser runs: no DOCTYPE and so no
entities, and in messages no comments, no processing instructions, no CDATA. The parser is fed in pieces, so that an
excess ends it early. The same tree is then verified and read: no second reading of the bytes could differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from sso.errors import SignInError

Element = etree._Element

_PIECE: Final = 8_192  # bytes
_DECLARATION: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(<\?xml\s[^<>]*\?>)?")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+\Z")
_IDS: Final = ("ID", "Id", "id")
_BANNED: Final = ((b"<!", "a DOCTYPE, comment or CDATA section"), (b"<?", "a processing instruction"))
_BANNED_AT_ALL: Final = ((b"<!DOCTYPE", "a DOCTYPE"), (b"<!ENTITY", "an entity"))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what a document may hold. `in_scope` counts the namespace declarations that apply at one element.

    Canonicalisation costs the product of elements and namespaces in scope; hence both have a limit.
    """

    octets: int = 400_000
    nodes: int = 4_000
    depth: int = 40
    attributes: int = 24  # of one element
    in_scope: int = 40
    namespaces: int = 5_000  # some products declare two on each attribute value
    comments: bool = False  # they, and processing instructions, are left out of the tree


MESSAGE: Final = Limits()


def parse(data: bytes, limits: Limits = MESSAGE) -> Element:
    """The root of the one document in `data`.

    Raises:
        SignInError: `too_large`, or `malformed` for anything else that is not well-formed, UTF-8 and within limits.
    """
    if len(data) > limits.octets:
        raise SignInError("too_large", f"size: expected at most {limits.octets} bytes, found {len(data)}")
    _refuse_by_text(data, limits)
    try:
        return _build(data, limits)
    except (etree.LxmlError, ValueError, SyntaxError) as error:
        raise SignInError("malformed", f"XML: not well-formed: {_short(str(error))}") from None


def _refuse_by_text(data: bytes, limits: Limits) -> None:
    """What can be told without parsing, in linear time."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise SignInError("malformed", "encoding: expected UTF-8") from None
    opening = _DECLARATION.match(data)
    start = 0 if opening is None else opening.end()
    declared = _ENCODING.search(data[:start])
    if declared is not None and declared.group(1).lower() != b"utf-8":
        raise SignInError("malformed", f"encoding: expected UTF-8, found {_short(declared.group(1).decode())}")
    if b"\0" in data:
        raise SignInError("malformed", "encoding: found a NUL")
    for found, what in _BANNED_AT_ALL if limits.comments else _BANNED:
        if data.find(found, start) >= 0:
            raise SignInError("malformed", f"XML: found {what}")
    if data.count(b"<", start) > 2 * limits.nodes:
        raise SignInError("too_large", f"nodes: expected at most {limits.nodes}")
    if data.count(b"xmlns", start) > limits.namespaces:
        raise SignInError("too_large", f"namespace declarations: expected at most {limits.namespaces}")


@dataclass(slots=True)
class _Walk:
    """What has been counted so far."""

    limits: Limits
    nodes: int = 0
    declared: int = 0  # by the element that comes next
    in_scope: int = 0
    opened: list[int] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def declare(self, uri: str) -> None:
        self.declared += 1
        if self.in_scope + self.declared > self.limits.in_scope:
            raise SignInError("too_large", f"namespaces in scope: expected at most {self.limits.in_scope}")
        if uri and not _ABSOLUTE.match(uri):
            raise SignInError("malformed", f"namespace: expected an absolute URI, found {_short(uri)}")

    def open(self, element: Element) -> None:
        self.nodes += 1
        self.opened.append(self.declared)
        self.in_scope += self.declared
        self.declared = 0
        if self.nodes > self.limits.nodes:
            raise SignInError("too_large", f"nodes: expected at most {self.limits.nodes}")
        if len(self.opened) > self.limits.depth:
            raise SignInError("too_large", f"depth: expected at most {self.limits.depth}")
        if len(element.attrib) > self.limits.attributes:
            raise SignInError("too_large", f"attributes of one element: expected at most {self.limits.attributes}")
        self._identify(element)

    def close(self) -> None:
        self.in_scope -= self.opened.pop()

    def _identify(self, element: Element) -> None:
        """An ID names one element, in one way: else what is verified and what is read could be two things."""
        found = [name for name in element.attrib if name.rpartition("}")[2].lower() == "id"]
        if not found:
            return
        if len(found) > 1 or found[0] not in _IDS:
            raise SignInError("malformed", f"ID: expected one, not in a namespace, found {_short(' '.join(found))}")
        value = element.attrib[found[0]]
        if value in self.ids:
            raise SignInError("malformed", f"ID: expected unique, found twice: {_short(value)}")
        self.ids.add(value)


def _build(data: bytes, limits: Limits) -> Element:
    parser = etree.XMLPullParser(
        ("start", "end", "start-ns"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    walk = _Walk(limits)
    for start in range(0, len(data), _PIECE):
        parser.feed(data[start : start + _PIECE])
        _count(walk, parser)
    root = parser.close()
    _count(walk, parser)
    return root


def _count(walk: _Walk, parser: etree.XMLPullParser) -> None:
    for event, what in parser.read_events():
        if event == "start":
            walk.open(what)
        elif event == "end":
            walk.close()
        else:
            walk.declare(what[1] or "")


def children(element: Element, tag: str) -> list[Element]:
    """Those children that are `tag`, in order."""
    return [child for child in element if child.tag == tag]


def only(element: Element, tag: str, code: str = "malformed") -> Element:
    """The one child `tag`.

    Raises:
        SignInError: with `code`, there is none or more than one.
    """
    found = children(element, tag)
    if len(found) != 1:
        raise SignInError(code, f"{local(element)}: expected one {local(tag)}, found {len(found)}")
    return found[0]


def optional(element: Element, tag: str, code: str = "malformed") -> Element | None:
    """The one child `tag`, if there is one."""
    return only(element, tag, code) if children(element, tag) else None


def text(element: Element, code: str = "malformed") -> str:
    """The whole text of an element, exactly as it stands.

    Raises:
        SignInError: with `code`, it has child elements: which text would be meant?
    """
    if len(element):
        raise SignInError(code, f"{local(element)}: expected text, found child elements")
    return element.text or ""


def is_blank(element: Element) -> bool:
    """Whether an element holds no text of its own beside its child elements."""
    return not (element.text or "").strip() and not any((child.tail or "").strip() for child in element)


def local(what: Element | str) -> str:
    """A name without its namespace."""
    return (what if isinstance(what, str) else what.tag).rpartition("}")[2]


def walk(element: Element) -> Iterator[Element]:
    """The element and all below it, in document order."""
    return element.iter()


def root(element: Element) -> Element:
    """The root of the document that the element is in."""
    while (above := element.getparent()) is not None:
        element = above
    return element


def make(tag: str, attributes: dict[str, str] | None = None, prefixes: dict[str | None, str] | None = None) -> Element:
    """A new root. Values are escaped when it is written."""
    return etree.Element(tag, attributes, prefixes)


def add(parent: Element, tag: str, attributes: dict[str, str] | None = None, content: str | None = None) -> Element:
    """A new last child of `parent`."""
    element = etree.SubElement(parent, tag, attributes)
    element.text = content
    return element


def write(root: Element) -> bytes:
    """The document as UTF-8, without a declaration."""
    return etree.tostring(root, encoding="utf-8", xml_declaration=False)


def canonical(element: Element, prefixes: Sequence[str]) -> bytes:
    """The element by exclusive canonicalisation without comments, as if it stood alone where it stands.

    Written out first, with all namespaces that are in scope, and read again: canonicalising a part of a tree in place
    would not see those that only the list of prefixes names.
    """
    alone = parse(etree.tostring(element, encoding="utf-8", xml_declaration=False, with_tail=False))
    return etree.tostring(
        alone, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(prefixes)
    )


def _short(value: str) -> str:
    return value[:80]
