"""A CSV file gives the records that a JSON push would give."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.identity.model import EMPTY, Source, SourceKind
from app.sources import csv_file, hr

SAMPLE = """id,Status,emails.home,addresses.work.locality,title,managers,managers.matrix,restricted
p-1,active,mia@home.test,Bern,"Trainer, senior",1003; lead@acme.test,1009,title
p-2,terminated,,,,,,
"""


def test_the_header_names_the_fields() -> None:
    assert csv_file.read(SAMPLE) == [
        {
            "id": "p-1",
            "status": "active",
            "emails": {"home": "mia@home.test"},
            "addresses": {"work": {"locality": "Bern"}},
            "title": "Trainer, senior",
            "managers": [
                {"employeeNumber": "1003", "kind": "line", "primary": True},
                {"email": "lead@acme.test", "kind": "line"},
                {"employeeNumber": "1009", "kind": "matrix"},
            ],
            "restricted": ["title"],
        },
        {
            "id": "p-2",
            "status": "terminated",
            "emails": {"home": None},
            "addresses": {"work": {"locality": None}},
            "title": None,
            "managers": [],
            "restricted": [],
        },
    ]


def test_an_empty_cell_is_an_empty_value_and_a_missing_column_is_silence() -> None:
    source = Source("s", "hr", SourceKind.HRIS, "csv")
    write = hr.load(csv_file.read("id,title,emails.home\n1,,\n"), source, datetime(2026, 11, 25, tzinfo=UTC))[0]
    assert write.spoken.values == {"title": EMPTY, "emails.home": EMPTY}
    assert write.spoken.managers is None


def test_a_file_with_mark_semicolons_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes('\ufeffid;title;managers\r\n1;Zoë;"2;3"\r\n\r\n;;\r\n'.encode())
    assert csv_file.read(path) == [
        {
            "id": "1",
            "title": "Zoë",
            "managers": [
                {"employeeNumber": "2", "kind": "line", "primary": True},
                {"employeeNumber": "3", "kind": "line"},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("id,title\n", "no record"),
        ("title\nTrainer\n", "'id' is missing"),
        ("id,badge\n1,red\n", "'badge'"),
        ("id,emails\n1,a@b.test\n", "'emails'"),
        ("id,addresses.work\n1,Bern\n", "'addresses.work'"),
        ("id,title,title\n1,a,b\n", "there twice"),
        ("id,title\n1\n", "line 2: 1 cells, but the header has 2"),
        ("id,title\n1,a,b\n", "line 2: 3 cells"),
        ("id,title\n,a\n", "line 2: the id is empty"),
        ("id,title\n1,a\n2,b\n1,c\n", "line 4: the id '1' is in line 2 already"),
        ('id,title\n1,"a\nb\n', "line"),
        ("id,title\n1," + "x" * 200_000 + "\n", "line 2"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, message: str) -> None:
    with pytest.raises(csv_file.FileError) as wrong:
        csv_file.read(text)
    assert message in str(wrong.value)


def test_every_wrong_line_is_named_up_to_a_limit() -> None:
    with pytest.raises(csv_file.FileError) as wrong:
        csv_file.read("id,title\n" + "1\n" * 60)
    assert len(wrong.value.errors) == 60
    assert str(wrong.value).splitlines()[-1] == "and 10 more"


def test_a_file_that_is_not_utf8_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes("id,title\n1,Zoë\n".encode("latin-1"))
    with pytest.raises(csv_file.FileError, match="not UTF-8"):
        csv_file.read(path)
