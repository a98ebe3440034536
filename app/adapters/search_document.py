"""The folded twin of a SCIM document, in which filters look.

    document as the client wrote it ──schema: type, caseExact──▶ search document ──▶ JSONB, GIN (jsonb_path_ops)

Names are lower case, text is case-folded unless its attribute is caseExact, instants are UTC text of one width, so
that text order is time order. Two keys name the owner: ``$t`` the tenant, ``$s`` the source; every containment query
carries both. `id` and `meta` are columns, and stay out: so the document is known before the row is, and a change of
the time alone touches no index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from scim.schemas import SCHEMAS, Attribute, Registry

TENANT = "$t"
SOURCE = "$s"
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


def search_document(
    kind: str, document: Mapping[str, Any], *, tenant_id: str, source_id: str, registry: Registry = SCHEMAS
) -> dict[str, Any]:
    """The search document of a normalised SCIM document of that kind (`"User"` or `"Group"`).

    What no schema knows, what no filter may see (`password`) and what the keeper computes (`groups`) is not in it;
    null, "", empty lists and empty objects are the same as absent (RFC 7643 §2.5).
    """
    schemas = registry.of(kind)
    found: dict[str, Any] = {TENANT: tenant_id, SOURCE: source_id}
    for name, value in document.items():
        extension = schemas.extension(name)
        folded = _object(value, extension.attribute) if extension else _attribute(value, schemas.attribute(name))
        if not is_empty(folded):
            found[name.lower()] = folded
    return found


def fold_value(value: Any, attribute: Attribute) -> Any:
    """One simple value as the search document holds it: what a filter's literal must become to be found."""
    if attribute.type == "dateTime":
        return instant(value) if isinstance(value, (str, datetime)) else value
    if isinstance(value, str) and not attribute.case_exact:
        return value.casefold()
    return value


def instant(value: str | datetime) -> str:
    """An xsd:dateTime as UTC text with six decimals; without an offset it is taken as UTC.

    Text that is no date stays as it is, and an instant beyond the calendar's ends becomes that end.
    """
    if isinstance(value, datetime):
        return _utc(value)
    try:
        return _utc(datetime.fromisoformat(value))
    except ValueError:
        return value


def _utc(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        there = aware.astimezone(UTC)
    except OverflowError:
        there = _EARLIEST if aware.year == 1 else _LATEST
    return there.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: null, "", an empty list, an empty object."""
    return value is None or value in ("", [], {})


def _attribute(value: Any, attribute: Attribute | None) -> Any:
    if attribute is None or attribute.hidden or attribute.mutability == "readOnly":
        return None
    if isinstance(value, list):
        folded = [_single(element, attribute) for element in value]
        return [element for element in folded if not is_empty(element)]
    return _single(value, attribute)


def _single(value: Any, attribute: Attribute) -> Any:
    if attribute.type == "complex":
        return _object(value, attribute.sub)
    return fold_value(value, attribute)


def _object(value: Any, look_up: Callable[[str], Attribute | None]) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    found: dict[str, Any] = {}
    for name, inner in value.items():
        folded = _attribute(inner, look_up(name))
        if not is_empty(folded):
            found[name.lower()] = folded
    return found
