"""The tree that a document becomes, and what becomes none."""

from __future__ import annotations

import pytest

from sso import xml
from sso.errors import SignInError
from sso.xml import Limits


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"<a><b/><b/><b/></a>", "too_large"),
        (b"<a><b><c><d/></c></b></a>", "too_large"),
        (b'<a x="1" y="2" z="3"/>', "too_large"),
        (b'<a xmlns:x="urn:x" xmlns:y="urn:y"><b xmlns:z="urn:z"/></a>', "too_large"),
        (b"<a>" + b" " * 200 + b"</a>", "too_large"),
        (b'<a xmlns:x="relative"/>', "malformed"),
        (b'<a ID="1"><b Id="1"/></a>', "malformed"),
        (b'<a xml:id="1"/>', "malformed"),
        (b"<a><!-- --></a>", "malformed"),
        (b"<a></b>", "malformed"),
        (b"", "malformed"),
    ],
)
def test_an_excess_is_refused(document: bytes, code: str) -> None:
    limits = Limits(octets=150, nodes=3, depth=3, attributes=2, in_scope=2)
    with pytest.raises(SignInError) as refused:
        xml.parse(document, limits)
    assert refused.value.code == code


def test_namespaces_count_while_they_are_in_scope() -> None:
    limits = Limits(in_scope=2)
    beside = b'<a xmlns:x="urn:x"><b xmlns:y="urn:y"/><b xmlns:y="urn:z"/><c xmlns="urn:c"/></a>'
    assert len(xml.parse(beside, limits)) == 3


def test_comments_can_be_left_out() -> None:
    root = xml.parse(b"<?xml version='1.0'?><!-- x --><a>b<!-- y -->c<?z?>d</a>", Limits(comments=True))
    assert xml.text(root) == "bcd"


def test_the_whole_text_or_none() -> None:
    root = xml.parse(b"<a>b&lt;<c/></a>")
    with pytest.raises(SignInError):
        xml.text(root)
    assert not xml.is_blank(root)


def test_what_is_written_is_escaped() -> None:
    root = xml.make("a", {"b": '"<&'})
    xml.add(root, "c", content="<d/>&")
    again = xml.parse(xml.write(root))
    assert (again.get("b"), xml.text(again[0])) == ('"<&', "<d/>&")


def test_a_part_is_canonical_as_if_it_stood_in_its_place() -> None:
    root = xml.parse(
        b'<a xmlns="urn:a" xmlns:b="urn:b" xmlns:c="urn:c" xmlns:d="urn:d"><b:x z="1" y=\'2\'><c:y/></b:x> </a>'
    )
    assert xml.canonical(root[0], []) == b'<b:x xmlns:b="urn:b" y="2" z="1"><c:y xmlns:c="urn:c"></c:y></b:x>'
    listed = xml.canonical(root[0], ["d", "none"])
    assert listed.startswith(b'<b:x xmlns:b="urn:b" xmlns:d="urn:d" ')
