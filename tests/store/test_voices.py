from __future__ import annotations

from app.identity.model import EMPTY, ManagerRef
from app.identity.writes import Spoken
from app.store.voices import decode, encode


def test_what_was_spoken_is_read_as_it_was_written() -> None:
    full = Spoken(
        active=False,
        values={"title": "Head", "nickName": EMPTY},
        managers=(ManagerRef((("email", "boss@x.org"),), "matrix", primary=True),),
        roles=frozenset({"b", "a"}),
        entitlements=frozenset({"e"}),
        known_as=("anna", "s-1"),
        vouched=False,
    )
    assert decode(encode(full)) == full


def test_parts_that_say_nothing_take_no_room() -> None:
    assert encode(Spoken(True)) == {"active": True, "values": {}}
    assert decode({"active": True, "values": {}}) == Spoken(True)
