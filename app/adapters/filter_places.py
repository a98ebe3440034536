"""Attributes that do not stand in the search document: ids, times, memberships, and the account's own.

    id, meta ─▶ columns of the row    groups, members ─▶ the members table    LMS extension ─▶ the accounts table

A group's name and an account's role and status keep their case in the tables; where the schema ignores it, the
database's `lower` decides, on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.adapters.filter_values import ONE, Operand, Values
from app.store.tables import accounts, groups, members
from scim.errors import InvalidFilter
from scim.paths import Path
from scim.schemas import LMS_USER, Attribute

Columns = Any  # the columns of `records` or `groups`, or of an alias of it, as attributes
_MEMBERSHIPS = {"User": "groups", "Group": "members"}


@dataclass(frozen=True, slots=True)
class Memberships:
    """A row for each, with the id at its other end and the texts about it by sub-attribute."""

    rows: sa.Select[Any]
    id: sa.ColumnElement[Any]
    texts: Mapping[str, sa.ColumnElement[Any]]

    def operand(self, sub: Attribute) -> Operand:
        """Its sub-attribute; for the attribute itself (`members pr`) the id, which is always there."""
        if sub.name in self.texts:
            return Operand(self.texts[sub.name], sub, "text")
        if sub.name == "$ref":
            raise InvalidFilter("$ref of a membership cannot be searched; its value can.")
        return Operand(self.id, sub, "id")

    def values(self, sub: Attribute) -> Values:
        return Values(self.operand(sub), self.rows)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The places of one kind's rows, in one tenant."""

    kind: str
    tenant_id: str
    columns: Columns

    def holds(self, path: Path) -> bool:
        """Whether the path leads out of the search document."""
        if path.schema is not None:
            return path.schema == LMS_USER and self.kind == "User"
        return path.attribute is not None and path.attribute.name in ("id", "meta", _MEMBERSHIPS[self.kind])

    def values(self, path: Path) -> Values:
        """Where the path's values are. `InvalidFilter` for what can only be computed, such as `meta.location`."""
        if path.schema is not None:
            return self._account(path.attribute)
        attribute = named(path)
        if attribute.name == "id":
            return Values(Operand(self.columns.id, attribute, "id"))
        if attribute.name == "meta":
            return self._meta(path.sub or attribute)
        return self.memberships().values(path.sub or attribute)

    def memberships(self) -> Memberships:
        """The groups that a user is in, or the members that a group has."""
        member = members.alias()
        mine = member.c.member_id if self.kind == "User" else member.c.group_id
        rows = sa.select(ONE).where(member.c.tenant_id == self.tenant_id, mine == self.columns.id)
        if self.kind == "Group":
            return Memberships(rows, member.c.member_id, {"type": member.c.kind})
        group = groups.alias()
        name = sa.select(group.c.display_name).where(
            group.c.tenant_id == self.tenant_id, group.c.id == member.c.group_id
        )
        texts: dict[str, sa.ColumnElement[Any]] = {
            "type": sa.literal("direct"),
            "display": name.correlate(member).scalar_subquery(),
        }
        return Memberships(rows, member.c.group_id, texts)

    def _meta(self, sub: Attribute) -> Values:
        if sub.name in ("resourceType", "meta"):
            return Values(Operand(sa.literal(self.kind), sub, "text"))
        times = {"created": "created_at", "lastModified": "updated_at"}
        if sub.name not in times:
            raise InvalidFilter(f"meta.{sub.name} cannot be searched.")
        return Values(Operand(getattr(self.columns, times[sub.name]), sub, "time"))

    def _account(self, attribute: Attribute | None) -> Values:
        if attribute is None or attribute.name == "accountId":
            named = attribute or Attribute("accountId")
            return Values(Operand(self.columns.account_id, named, "id"))
        account = accounts.alias()
        rows = sa.select(ONE).where(account.c.tenant_id == self.tenant_id, account.c.id == self.columns.account_id)
        if attribute.name == "status":
            return Values(Operand(account.c.status, attribute, "text"), rows)
        role = sa.func.unnest(account.c.roles, type_=sa.Text).column_valued()
        # The function reads the account beside it: LATERAL, which PostgreSQL implies for functions.
        each = rows.select_from(account.join(role.scalar_alias, sa.true()))
        return Values(Operand(role, attribute, "text"), each)


def named(path: Path) -> Attribute:
    """The attribute of a path that is more than a URN."""
    if path.attribute is None:
        raise InvalidFilter(f"{path.name} is not an attribute.")
    return path.attribute
