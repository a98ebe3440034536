"""What a tenant may declare, and the precise refusal of everything else."""

from __future__ import annotations

from typing import Any

import pytest

from scim.definitions import Attribute
from scim.extensions import MOST_ATTRIBUTES, DeclarationError, declared, kept, lost, refitted
from scim.schemas import ENTERPRISE_USER, SCHEMAS
from tests.scim.declared import COHORT, LEARNER, REGISTRY, cohort, learner


def complaints(document: Any, registry: Any = SCHEMAS) -> dict[str, str]:
    with pytest.raises(DeclarationError) as refused:
        declared(document, registry)
    return {one.path: one.message for one in refused.value.complaints}


def of(attribute: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a schema of this one attribute."""
    found = complaints({"id": COHORT, "attributes": [{"name": "a", **attribute}]})
    return {path.removeprefix("attributes[0]").removeprefix("."): message for path, message in found.items()}


def test_each_type_and_characteristic_is_read() -> None:
    schema = declared(learner(), SCHEMAS)
    assert {attribute.type for attribute in schema.attributes} == {
        "string", "integer", "decimal", "boolean", "dateTime", "reference", "binary", "complex",
    }  # fmt: skip
    assert schema.attribute("TRACK") == Attribute("track", canonical_values=("sales", "support"))
    assert schema.attribute("portfolio") == Attribute(
        "portfolio", "reference", case_exact=True, reference_types=("external",)
    )
    assert schema.attribute("pin") == Attribute("pin", mutability="writeOnly", returned="never")
    badges = schema.attribute("badges")
    assert badges is not None
    assert badges.multi_valued
    assert [sub.name for sub in badges.sub_attributes] == ["value", "type", "earnedAt", "points", "skills", "proof"]


@pytest.mark.parametrize("document", [learner(), cohort()], ids=lambda document: document["name"])
def test_what_is_shown_can_be_declared_again(document: dict[str, Any]) -> None:
    shown = declared(document, SCHEMAS).as_json("https://x.org")
    assert declared(shown, SCHEMAS).as_json("https://x.org") == shown
    assert kept(shown).as_json("https://x.org") == shown


@pytest.mark.parametrize("document", [None, [], "x", 5])
def test_it_must_be_an_object(document: Any) -> None:
    assert "RFC 7643 §7" in complaints(document)[""]


@pytest.mark.parametrize(
    "urn",
    [
        None,
        5,
        "",
        "x",
        "urn:",
        "urn:x",
        "urn:a:",
        "urn:-ab:c",
        "urn:ab:c d",
        "urn:ab:c[d]",
        "urn:ab:ä",
        "urn:ab:c:",
        "http://x.org/User",
    ],
)
def test_an_id_is_a_urn_that_a_path_can_name(urn: Any) -> None:
    assert "must be a URN" in complaints({**cohort(), "id": urn})["id"]


@pytest.mark.parametrize(
    "urn",
    [
        "urn:rollcall:params:scim:schemas:mine",
        "URN:ROLLCALL:x",
        "urn:ietf:params:scim:schemas:core:2.0:Group",
        "urn:ietf:params:scim:schemas:core:2.0:Device",
        "urn:ietf:params:scim:api:messages:2.0:Mine",
        "urn:scim:schemas:core:1.0",
        "urn:okta:scim:schemas:core:1.0:Role",
        ENTERPRISE_USER.upper(),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
    ],
)
def test_a_urn_of_ours_or_of_the_rfcs_is_refused(urn: str) -> None:
    assert "of your own" in complaints({**cohort(), "id": urn})["id"]


def test_a_urn_is_declared_once_and_begins_like_no_other() -> None:
    assert "there already" in complaints({**cohort(), "id": LEARNER.upper()}, REGISTRY)["id"]
    assert "begins like" in complaints({**cohort(), "id": f"{LEARNER}:more"}, REGISTRY)["id"]
    assert "begins like" in complaints({**cohort(), "id": LEARNER.rpartition(":")[0]}, REGISTRY)["id"]
    assert declared({**cohort(), "id": f"{COHORT}s"}, REGISTRY).id == f"{COHORT}s"


@pytest.mark.parametrize("name", [None, 5, "", "1a", "a b", "a.b", "a:b", "ä", "$ref", "_a", "a" * 65])
def test_a_name_follows_the_rfcs_grammar(name: Any) -> None:
    assert "RFC 7643 §2.1" in of({"name": name})["name"]


@pytest.mark.parametrize("name", ["eq", "PR", "and", "Not", "null", "true"])
def test_a_name_is_no_word_of_the_filter_language(name: str) -> None:
    assert "filter language" in of({"name": name})["name"]


def test_names_differ_by_more_than_case() -> None:
    found = complaints({"id": COHORT, "attributes": [{"name": "level"}, {"name": "Level"}]})
    assert found == {"attributes[1].name": "Level is there twice; case does not count"}


@pytest.mark.parametrize(
    ("attribute", "path", "part"),
    [
        ({"type": "text"}, "type", "one of string, boolean"),
        ({"type": "String"}, "type", "one of string, boolean"),
        ({"required": True}, "required", "could write nobody"),
        ({"uniqueness": "server"}, "uniqueness", "hold two records apart"),
        ({"uniqueness": "global"}, "uniqueness", "hold two records apart"),
        ({"uniqueness": "some"}, "uniqueness", "one of none"),
        ({"multiValued": "true"}, "multiValued", "true or false"),
        ({"mutability": "readwrite"}, "mutability", "one of readOnly, readWrite"),
        ({"returned": "sometimes"}, "returned", "one of always"),
        ({"mutability": "writeOnly", "returned": "default"}, "returned", "must be never"),
        ({"type": "integer", "caseExact": True}, "caseExact", "says nothing"),
        ({"type": "binary", "caseExact": False}, "caseExact", "must be true"),
        ({"type": "integer", "canonicalValues": ["1"]}, "canonicalValues", "string or reference only"),
        ({"canonicalValues": "a"}, "canonicalValues", "list"),
        ({"canonicalValues": [1]}, "canonicalValues[0]", "text"),
        ({"referenceTypes": ["User"]}, "referenceTypes", "reference only"),
        ({"subAttributes": [{"name": "b"}]}, "subAttributes", "complex only"),
        ({"type": "complex"}, "subAttributes", "at least one"),
        ({"type": "complex", "subAttributes": []}, "subAttributes", "at least one"),
        ({"description": 5}, "description", "text"),
        ({"mutable": True}, "mutable", "no part of a schema"),
        (
            {"type": "complex", "subAttributes": [{"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]},
            "subAttributes[0].type",
            "RFC 7643 §2.3.8",
        ),
        (
            {"type": "complex", "multiValued": True, "subAttributes": [{"name": "b", "mutability": "immutable"}]},
            "subAttributes[0].mutability",
            "inside the list a",
        ),
        (
            {"type": "complex", "mutability": "readOnly", "subAttributes": [{"name": "b"}]},
            "subAttributes[0].mutability",
            "must be readOnly",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(attribute: dict[str, Any], path: str, part: str) -> None:
    found = of(attribute)
    assert list(found) == [path]
    assert part in found[path]


def test_every_complaint_is_told_at_once() -> None:
    found = complaints({"id": "x", "attributes": [{"name": "1"}, {"name": "b", "type": "x"}, 5], "owner": "me"})
    assert list(found) == ["owner", "id", "attributes[0].name", "attributes[1].type", "attributes[2]"]


def test_sizes_are_limited() -> None:
    many = [{"name": f"a{number}"} for number in range(MOST_ATTRIBUTES + 1)]
    assert "at most 100" in complaints({"id": COHORT, "attributes": many})["attributes"]
    assert "at most 200" in complaints({**cohort(), "id": f"urn:ab:{'c' * 200}"})["id"]
    assert "1000 characters" in complaints({**cohort(), "description": "x" * 1001})["description"]


def test_null_is_the_same_as_absent() -> None:
    attribute = {"name": "a", "type": None, "canonicalValues": None, "subAttributes": None}
    assert declared({"id": COHORT, "attributes": [attribute]}, SCHEMAS).attributes == (Attribute("a"),)


def test_which_values_may_not_fit_a_changed_schema() -> None:
    def changed(**more: Any) -> list[str]:
        attributes = [{**one, **more.get(one["name"], {})} for one in learner()["attributes"]]
        kept_ones = [one for one in attributes if not one.get("gone")]
        return lost(kept(learner()), kept({**learner(), "attributes": kept_ones}))

    assert changed() == []
    assert changed(track={"caseExact": True, "returned": "request"}) == []
    assert changed(level={"type": "decimal"}) == []
    assert changed(score={"type": "integer"}, tags={"multiValued": False}, code={"gone": True}) == [
        "code", "score", "tags",
    ]  # fmt: skip
    assert changed(site={"subAttributes": [{"name": "city"}]}) == ["site"]


def test_values_that_fit_stay_and_others_go() -> None:
    schema = declared({"id": COHORT, "attributes": [{"name": "a", "type": "integer"}, {"name": "b"}]}, SCHEMAS)
    assert refitted(schema, {"a": "5", "b": "x", "c": 1}) == {"a": 5, "b": "x"}
    assert refitted(schema, {"a": "five", "b": ["x", "y"]}) == {}
