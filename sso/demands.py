"""What a relying party asks of this sign-in beyond who somebody is: for both protocols, kept with flows as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Demands:
    """`force`: authenticate anew. `max_age`: at most so many seconds ago. `contexts`: acr values that are asked for.

    `login_hint` is whom the relying party expects: a hint, never proof.
    """

    force: bool = False
    max_age: int | None = None
    contexts: tuple[str, ...] = ()
    login_hint: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Demands:
        """From the JSON that `document` made; what is missing is not demanded."""
        age = document.get("max_age")
        return cls(
            force=bool(document.get("force", False)),
            max_age=None if age is None else int(age),
            contexts=tuple(str(each) for each in document.get("contexts") or ()),
            login_hint=document.get("login_hint") or None,
        )

    def document(self) -> dict[str, Any]:
        """As JSON, without what is not demanded."""
        said = {
            "force": self.force,
            "max_age": self.max_age,
            "contexts": list(self.contexts),
            "login_hint": self.login_hint,
        }
        return {name: value for name, value in said.items() if value is not None and value is not False and value != []}
