"""A source's value map: searched, changed after its plan was seen, out and in as CSV."""

from __future__ import annotations

import io

import pytest

from app.console.sources import values
from app.sources.csv_file import FileError
from app.store import tenants
from app.store.engine import reading
from app.sync import imports, rules
from tests.sync.people import hired


def known(engine, tenant):
    with reading(engine) as conn:
        return tenants.find_source(conn, tenant.id, "hr").settings.get("value_maps", {})


@pytest.fixture
def trainer(engine, tenant, hr) -> None:
    imports.submit(engine, tenant.id, hr, [hired(1)], actor="test")


def test_a_code_is_shown_first_then_saved(console, engine, tenant, hr, trainer) -> None:
    admin = console("admin")
    plan = admin.post(f"/admin/sources/{hr.id}/values", attribute="title", code="Trainer", name="Senior Trainer")
    assert "title Trainer → Senior Trainer" in plan.text
    assert known(engine, tenant) == {}
    admin.post(f"{plan.at}/save")
    assert known(engine, tenant) == {"title": {"Trainer": "Senior Trainer"}}
    removed = admin.post(f"/admin/sources/{hr.id}/values", attribute="title", code="Trainer", remove="yes")
    admin.post(f"{removed.at}/save")
    assert known(engine, tenant) == {}


def test_what_is_wrong_stands_at_its_field(console, engine, tenant, hr) -> None:
    seen = console("admin").post(f"/admin/sources/{hr.id}/values", attribute="shoe", code="43", name="large")
    assert seen.status == 422
    assert "No account has an attribute 'shoe'" in seen.text
    assert 'value="43"' in seen.html
    empty = console("admin").post(f"/admin/sources/{hr.id}/values", attribute="title", code="", name="")
    assert empty.status == 422
    assert "Say what the code means." in empty.text


def test_codes_are_searched_and_paged(console, engine, tenant, hr, monkeypatch) -> None:
    monkeypatch.setattr(values, "SHOWN", 2)
    for code in ("A1", "A2", "A3", "B1"):
        rules.set_meaning(engine, tenant.id, "hr", "title", code, f"Name {code}", actor="test")
    auditor = console("auditor")
    first = auditor.get(f"/admin/sources/{hr.id}/values?q=a")
    assert "Name A2" in first.text
    assert "Name A3" not in first.text
    (after,) = [link for link in first.links if "after=" in link]
    second = auditor.get(f"/admin/sources/{hr.id}/values{after}")
    assert "Name A3" in second.text
    assert "Name A1" not in second.text
    found = auditor.get(f"/admin/sources/{hr.id}/values?q=b1")
    assert "Name B1" in found.text
    assert "Name A1" not in found.text
    assert "No code like that" in auditor.get(f"/admin/sources/{hr.id}/values?q=zz").text


def test_what_comes_out_as_csv_goes_in_again(console, engine, tenant, hr) -> None:
    for code, name in (("=1+1", "Formula"), ("S,T", 'The "best"')):
        rules.set_meaning(engine, tenant.id, "hr", "title", code, name, actor="test")
    admin = console("admin")
    text = admin.get(f"/admin/sources/{hr.id}/values.csv").html
    assert "'=1+1" in text
    before = known(engine, tenant)
    assert values.read(text.encode()) == before
    more = text + 'title,NEW,Newcomer\ntitle,"S,T",\n'
    refused = admin.post(f"/admin/sources/{hr.id}/values/file", files={"file": (io.BytesIO(more.encode()), "v.csv")})
    assert refused.status == 422
    assert "is there twice" in refused.text
    changed = "attribute;code;name\ntitle;NEW;Newcomer\ntitle;S,T;\n"
    plan = admin.post(f"/admin/sources/{hr.id}/values/file", files={"file": (io.BytesIO(changed.encode()), "v.csv")})
    admin.post(f"{plan.at}/save")
    assert known(engine, tenant) == {"title": {"=1+1": "Formula", "NEW": "Newcomer"}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a file"),
        (b"a,b,c\n", "first line"),
        (b"attribute,code,name\n", "no code"),
        (b"attribute,code,name\ntitle,,x\n", "line 2"),
        (b"attribute,code,name\ntitle,x\n", "line 2"),
        (b"attribute,code,name\ntitle,\x00,x\n", "NUL"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, said: str) -> None:
    with pytest.raises(FileError, match=said):
        values.read(content)
