"""Attributes that do not stand in the search document: ids, times, memberships, and the account's own.

    id, meta ─▶ columns of the row    groups, members ─▶ the members table    LMS extension ─▶ the accounts table

A group's name is looked up in the group's own search document. A member's display, an account's role and its status
keep their case in the tables; where the schema ignores it, the database's `lower` decides, on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.adapters.filter_contain import Fragment
from app.adapters.filter_values import ONE, Condition, Operand, Values
from app.adapters.search_document import TENANT, fold_value
from app.store.tables import accounts, groups, members
from scim.errors import InvalidFilter
from scim.paths import Path
from scim.schemas import LMS_USER, Attribute

Columns = Any  # the columns of `records` or `groups`, or of an alias of it, as attributes
_MEMBERSHIPS = {"User": "groups", "Group": "members"}


@dataclass(frozen=True, slots=True)
class GroupName(Operand):
    """The name in a group's search document, so that `eq` is answered by the GIN index of groups."""

    search: Any = None
    owner: Fragment = field(default_factory=dict)

    def compares(self, operator: str, value: Any) -> Condition:
        if operator != "eq":
            return super(GroupName, self).compares(operator, value)
        return self.search.contains(sa.literal(self.owner | {"displayname": fold_value(value, self.attribute)}, JSONB))


@dataclass(frozen=True, slots=True)
class Memberships:
    """A row for each, with the id at its other end and the texts about it by sub-attribute."""

    rows: sa.Select[Any]
    id: sa.ColumnElement[Any]
    type: sa.ColumnElement[Any]
    display: sa.ColumnElement[Any] | None = None
    group: Any = None  # the columns of the group, where its name is asked for
    owner: Fragment = field(default_factory=dict)

    def operand(self, sub: Attribute) -> Operand:
        """Its sub-attribute; for the attribute itself (`members pr`) the id, which is always there."""
        if sub.name == "type":
            return Operand(self.type, sub, "word")
        if sub.name == "display" and self.display is not None:
            return Operand(self.display, sub, "text")
        if sub.name == "display":
            return GroupName(self.group.search["displayname"], sub, "json", self.group.search, self.owner)
        if sub.name == "$ref":
            raise InvalidFilter("$ref of a membership cannot be searched; its value can.")
        return Operand(self.id, sub, "id")

    def values(self, sub: Attribute) -> Values:
        return Values(self.operand(sub), self.rows)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The places of one kind's rows, in one tenant."""

    kind: str
    owner: Fragment  # the keys of tenant and source
    columns: Columns

    @property
    def tenant_id(self) -> str:
        return str(self.owner[TENANT])

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
        sub = path.sub or attribute
        return self.memberships(named=sub.name == "display").values(sub)

    def memberships(self, *, named: bool) -> Memberships:
        """The groups that a user is in, or the members that a group has. `named`: the group's name is asked for."""
        member = members.alias()
        mine = member.c.member_id if self.kind == "User" else member.c.group_id
        rows = sa.select(ONE).where(member.c.tenant_id == self.tenant_id, mine == self.columns.id)
        if self.kind == "Group":
            return Memberships(rows, member.c.member_id, member.c.kind, member.c.display)
        type_ = sa.literal("direct")
        if not named:
            return Memberships(rows, member.c.group_id, type_)
        group = groups.alias()
        same = sa.and_(group.c.tenant_id == self.tenant_id, group.c.id == member.c.group_id)
        return Memberships(rows.join(group, same), member.c.group_id, type_, group=group.c, owner=self.owner)

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
            return Values(Operand(account.c.status, attribute, "word"), rows)
        role = sa.func.unnest(account.c.roles, type_=sa.Text).column_valued()
        # The function reads the account beside it: LATERAL, which PostgreSQL implies for functions.
        each = rows.select_from(account.join(role.scalar_alias, sa.true()))
        return Values(Operand(role, attribute, "text"), each)


def named(path: Path) -> Attribute:
    """The attribute of a path that is more than a URN."""
    if path.attribute is None:
        raise InvalidFilter(f"{path.name} is not an attribute.")
    return path.attribute
