"""Changes of the rules that concern everybody, as values: what the rules would be, and what is written.

Owners          whose word counts for an attribute, first to last; no owners: the product's own rule again
Meanings        what a source's codes mean in the LMS; None: a code is taken as it is
HighestRole     whether of several roles in one scope only the highest counts
Retirement      a source speaks no more: its grants end, what nobody else says stays behind
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.identity.attributes import default_ownership, family, is_known
from app.identity.model import OwnershipRule, Rules, SourceKind
from app.store import tables as t
from app.store import tenant_settings

LONGEST_CODE: Final = 1024


class RuleError(ValueError):
    """A rule that cannot be. Nothing was saved."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns an attribute or a family of them. `owners` are kinds of sources or names; `create_only` give a first
    value and never change it."""

    attribute: str
    owners: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    what: ClassVar[str] = "owners"

    @property
    def action(self) -> str:
        """Its name in the audit."""
        return "ownership.saved" if self.owners else "ownership.reset"

    def check(self, rules: Rules) -> None:
        """Raise RuleError for what cannot be."""
        check_attribute(self.attribute)
        known = {source.name for source in rules.sources.values()} | {kind.value for kind in SourceKind}
        for owner in (*self.owners, *self.create_only):
            if owner not in known:
                raise RuleError(
                    f"{owner!r} is neither a kind of source nor a source; there are {', '.join(sorted(known))}"
                )
        if len({*self.owners, *self.create_only}) != len(self.owners) + len(self.create_only):
            raise RuleError("name each owner once")

    def future(self, rules: Rules) -> Rules:
        """The rules as they would be."""
        ownership = {name: rule for name, rule in rules.ownership.items() if name != self.attribute}
        own = default_ownership().get(self.attribute)
        rule = OwnershipRule(self.owners, self.create_only) if self.owners else own
        return replace(rules, ownership=ownership if rule is None else {**ownership, self.attribute: rule})

    def write(self, conn: sa.Connection, tenant_id: str) -> dict[str, Any]:
        """Store it; returns what the audit says of it."""
        if not self.owners:
            mine = (t.ownership.c.tenant_id == tenant_id, t.ownership.c.attribute == self.attribute)
            conn.execute(sa.delete(t.ownership).where(*mine))
            return {"attribute": self.attribute}
        row = {"owners": list(self.owners), "create_only": list(self.create_only)}
        added = insert(t.ownership).values(tenant_id=tenant_id, attribute=self.attribute, **row)
        conn.execute(added.on_conflict_do_update(index_elements=["tenant_id", "attribute"], set_=row))
        return {"attribute": self.attribute, **row}


@dataclass(frozen=True, slots=True)
class Meanings:
    """What codes of a source mean: attribute -> code -> name, or None."""

    source_id: str
    names: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    what: ClassVar[str] = "meanings"
    action: ClassVar[str] = "value map.saved"

    def check(self, rules: Rules) -> None:
        """Raise RuleError for what cannot be."""
        if self.source_id not in rules.sources:
            raise RuleError("there is no such source")
        for attribute, names in self.names.items():
            check_attribute(attribute)
            for code, name in names.items():
                if not code or len(code) > LONGEST_CODE or len(name or "") > LONGEST_CODE or name == "":
                    raise RuleError(f"a code and its name are texts of 1 to {LONGEST_CODE} characters")

    def future(self, rules: Rules) -> Rules:
        """The rules as they would be."""
        source = rules.sources[self.source_id]
        told = replace(source, value_maps=self.merged(source.value_maps))
        return replace(rules, sources={**rules.sources, self.source_id: told})

    def merged(self, known: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        """The source's whole map with these names in it."""
        maps = {attribute: dict(names) for attribute, names in known.items()}
        for attribute, names in self.names.items():
            meanings = maps.setdefault(attribute, {})
            for code, name in names.items():
                if name is None:
                    meanings.pop(code, None)
                else:
                    meanings[code] = name
        return {attribute: names for attribute, names in maps.items() if names}

    def write(self, conn: sa.Connection, tenant_id: str) -> dict[str, Any]:
        """Store it; returns what the audit says of it."""
        mine = (t.sources.c.tenant_id == tenant_id, t.sources.c.id == self.source_id)
        row = conn.execute(sa.select(t.sources.c.name, t.sources.c.settings).where(*mine).with_for_update()).one()
        settings = {**row.settings, "value_maps": self.merged(row.settings.get("value_maps", {}))}
        conn.execute(sa.update(t.sources).where(*mine).values(settings=settings))
        return {"source": row.name, "names": {attribute: dict(names) for attribute, names in self.names.items()}}


@dataclass(frozen=True, slots=True)
class HighestRole:
    """Whether of several roles in one scope only the highest is effective."""

    wins: bool
    what: ClassVar[str] = "highest role"
    action: ClassVar[str] = "setting.saved"

    def check(self, rules: Rules) -> None:
        """Both can be."""

    def future(self, rules: Rules) -> Rules:
        """The rules as they would be."""
        return replace(rules, highest_role_wins=self.wins)

    def write(self, conn: sa.Connection, tenant_id: str) -> dict[str, Any]:
        """Store it; returns what the audit says of it."""
        tenant_settings.choose(conn, tenant_id, "highest_role_wins", str(self.wins))
        return {"setting": "highest_role_wins", "value": self.wins}


@dataclass(frozen=True, slots=True)
class Retirement:
    """A source speaks about nobody any more, for good."""

    source_id: str
    what: ClassVar[str] = "retirement"
    action: ClassVar[str] = "source.retired"

    def check(self, rules: Rules) -> None:
        """Raise RuleError for what cannot be."""
        if rules.heard(self.source_id) is None:
            raise RuleError("there is no such source, or it is retired already")

    def future(self, rules: Rules) -> Rules:
        """The rules as they would be."""
        retired = replace(rules.sources[self.source_id], retired=True)
        return replace(rules, sources={**rules.sources, self.source_id: retired})

    def write(self, conn: sa.Connection, tenant_id: str) -> dict[str, Any]:
        """Store it; returns what the audit says of it."""
        mine = (t.sources.c.tenant_id == tenant_id, t.sources.c.id == self.source_id)
        name = conn.execute(sa.update(t.sources).where(*mine).values(state="retired").returning(t.sources.c.name))
        return {"source": name.scalar_one()}


RuleChange = Owners | Meanings | HighestRole | Retirement
_KINDS: Final[Mapping[str, Callable[..., RuleChange]]] = {
    one.what: one for one in (Owners, Meanings, HighestRole, Retirement)
}


def as_dict(change: RuleChange) -> dict[str, Any]:
    """The change as JSON values, for a run's summary."""
    return {"what": change.what, **asdict(change)}


def from_dict(said: Mapping[str, Any]) -> RuleChange:
    """What `as_dict` gave."""
    told = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items() if name != "what"}
    return _KINDS[said["what"]](**told)


def check_attribute(attribute: str) -> None:
    """Raise RuleError for what no account has."""
    if attribute not in default_ownership() and not is_known(attribute):
        raise RuleError(f"no account has an attribute {attribute!r}; there are {', '.join(default_ownership())}")
    if family(attribute) not in default_ownership():
        raise RuleError(f"no account has an attribute {attribute!r}")
