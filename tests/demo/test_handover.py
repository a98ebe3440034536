"""The printed commands work as printed."""

from __future__ import annotations

import shlex

import requests
import sqlalchemy as sa

from app.demo import stage
from app.demo.handover import hand_over
from app.store import console_links
from app.store.engine import reading
from tests.waiting import soon


def run(command: str) -> requests.Response:
    """What curl would do with it: -s and -S say nothing, -H is a header, -d makes it a POST."""
    words = iter(shlex.split(command))
    assert next(words) == "curl"
    headers, body, address = {}, None, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word != "-sS":
            address = word
    return requests.request("GET" if body is None else "POST", address, headers=headers, data=body, timeout=30)


def test_the_first_makes_a_person_and_the_second_reads_the_account(engine: sa.Engine, url: str) -> None:
    stand, _ = stage.build(engine)
    handed = hand_over(engine, stand, url, 8080)
    made = run(handed.provision)
    assert made.status_code == 201
    read = run(handed.read)
    assert read.status_code == 200
    [account] = read.json()["accounts"]
    assert account["id"] == made.json()["urn:rollcall:params:scim:schemas:lms:2.0:User"]["accountId"]
    assert account["email"] == "noor.haddad@kestrel.example"


def test_handed_over_again_both_work_again(engine: sa.Engine, url: str) -> None:
    stand, _ = stage.build(engine)
    first = hand_over(engine, stand, url, 8080)
    assert run(first.provision).status_code == 201
    second = hand_over(engine, stand, url, 8080)
    assert soon(lambda: run(first.provision).status_code == 401)
    assert run(second.provision).json()["userName"] == "noor.haddad2@kestrel.example"
    [account] = run(second.read).json()["accounts"]
    assert account["email"] == "noor.haddad2@kestrel.example"


def test_the_lines_hold_everything(engine: sa.Engine) -> None:
    stand, _ = stage.build(engine)
    handed = hand_over(engine, stand, "https://rollcall.example.com", 8080)
    text = "\n".join(handed.lines())
    for part in (handed.base_url, handed.token, handed.api_key, handed.provision, handed.read, handed.console):
        assert part in text
    assert handed.base_url == "https://rollcall.example.com/scim/v2"


def test_each_time_the_owner_has_one_link_that_opens(engine: sa.Engine) -> None:
    stand, _ = stage.build(engine)
    links = [hand_over(engine, stand, "https://rollcall.example.com", 8080).console for _ in range(2)]
    states = []
    with reading(engine) as conn:
        for link in links:
            assert link.startswith("https://rollcall.example.com/admin/invitation/")
            found = console_links.find(conn, link.rpartition("/")[2])
            assert found is not None
            states.append((found.state, found.role))
    assert states == [("revoked", "owner"), ("open", "owner")]
