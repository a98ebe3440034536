"""`rollcall connection create` and `set`: from what the identity provider shows to what it must know."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from app.adapters import connecting, metadata_import
from app.adapters.connecting import Change, Metadata, Said
from app.adapters.connection_schemas import BadConnectionError
from app.adapters.connection_view import addresses, described
from app.adapters.connections import ensure_key
from app.cli.connection import name_argument, text_of, text_of_addresses
from app.cli.context import Context, actor, json_option, name_of, show, tenant_option
from app.cli.issuing import a_uuid
from app.outbound import way_out
from app.store import connections, tenants
from app.store.connections import Stored
from app.store.engine import reading
from sso import certificates
from sso.connections import ClaimMap

CLAIMS: Final = tuple(one.name for one in fields(ClaimMap))

_PEM: Final = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

Command = Callable[..., None]


def _pairs(_ctx: click.Context, _parameter: click.Parameter, said: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in said:
        name, separator, value = text.partition("=")
        if not separator:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        pairs.append((name.strip().replace("-", "_"), value))
    return pairs


def _an_id(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return None if value is None else a_uuid(ctx, parameter, value)


_SHARED: Final = (
    click.option("--title", help="What people read on the button."),
    click.option("--domain", "domains", multiple=True, help="Who is sent here by their address; may be repeated."),
    click.option("--paired-source", "paired", metavar="NAME", help="The SCIM source of the same identity provider."),
    click.option(
        "--arrival",
        type=click.Choice(["create", "link"]),
        help="What becomes of people whom nobody provisioned: an account is made, or they are refused (link).",
    ),
    click.option("--metadata", "document", metavar="FILE|URL|-", help="SAML: its metadata; an address is read again."),
    click.option(
        "--metadata-certificate",
        "signer",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="SAML: a file with the certificate that the metadata must be signed with.",
    ),
    click.option("--entity-id", help="SAML: the provider's; which one, where the metadata holds several."),
    click.option("--sso-url", help="SAML: where people are sent."),
    click.option("--slo-url", help="SAML: where people are sent to sign out."),
    click.option(
        "--certificate",
        "certificates",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="SAML: a file with a signing certificate; may be repeated. All of them together replace the old ones.",
    ),
    click.option("--allow-unsolicited/--no-unsolicited", default=None, help="SAML: may the provider begin a sign-in?"),
    click.option("--issuer", help="OpenID Connect: the provider's issuer."),
    click.option("--client-id", help="OpenID Connect: what the provider knows us as."),
    click.option("--client-secret-stdin", "secret", is_flag=True, help="OpenID Connect: read the secret from stdin."),
    click.option(
        "--claim",
        "claims",
        multiple=True,
        metavar="ATTRIBUTE=NAME",
        callback=_pairs,
        help=f"Which claim says what; may be repeated. Attributes: {', '.join(CLAIMS)}.",
    ),
    click.option(
        "--setting",
        "more",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_pairs,
        help="A further setting; may be repeated. The value is JSON or text; docs/sign-in.md has the list.",
    ),
)
_DIRECT: Final = ("entity_id", "sso_url", "slo_url", "allow_unsolicited", "issuer", "client_id")


def shared(command: Command) -> Command:
    """The options of both verbs."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


_type_option: Final = click.option(
    "--type", "kind", type=click.Choice(["saml", "oidc"]), required=True, help="The protocol."
)
_new_name_option: Final = click.option(
    "--name", required=True, callback=name_of("connection"), help="Its name, also in addresses."
)


@click.command()
@tenant_option
@_type_option
@_new_name_option
@json_option
@click.pass_obj
def prepare(context: Context, tenant_name: str, kind: str, name: str, as_json: bool) -> None:
    """Print the addresses of a connection to come, for providers that want them first. It keeps nothing."""
    id = connections.new_id()
    told = addresses(context.settings.public_url, tenant_name, name, kind, id)
    text = text_of_addresses(told) + f"\n\nthen: rollcall connection create --id {id} …"
    show({"id": id, "addresses": told}, text, as_json=as_json)


@click.command()
@tenant_option
@_type_option
@_new_name_option
@click.option("--id", callback=_an_id, help="The id that `connection prepare` gave.")
@click.option("--affiliation", type=click.Choice(["employee", "customer"]), default="employee", show_default=True)
@click.option(
    "--employee-namespace", "numbering", help="Whose numbering its employee numbers follow; else the paired source's."
)
@shared
@json_option
@click.pass_obj
def create(
    context: Context,
    tenant_name: str,
    kind: str,
    name: str,
    id: str | None,
    affiliation: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Add a connection. It prints what the identity provider must know."""
    if kind != "saml" and given["document"]:
        raise click.UsageError("--metadata is for SAML; OpenID Connect takes --issuer")
    imported, published = _imported(context, given)
    said = Said(
        name,
        kind,
        imported | _settings(given),
        title=given["title"],
        claims=_claims(given["claims"]),
        secret=_secret(given),
        domains=given["domains"],
        arrival=given["arrival"] or "link",
        paired=given["paired"],
        affiliation=affiliation,
        employee_namespace=given["numbering"],
        id=id,
        metadata=published,
    )
    try:
        with context.database() as engine:
            with reading(engine) as conn:
                tenant_id = tenants.find(conn, tenant_name).id
            if kind == "saml":  # a key takes seconds to make: nobody's first sign-in shall wait for it
                ensure_key(engine, context.vault, context.settings.public_url)
            connecting.create(engine, lambda: context.vault, tenant_id, said, actor())
            with reading(engine) as conn:
                made = connections.named(conn, tenant_id, name)
    except BadConnectionError as error:
        raise click.UsageError(str(error)) from error
    _print(context, made, as_json=as_json)


@click.command("set")
@name_argument
@tenant_option
@shared
@json_option
@click.pass_obj
def set_(context: Context, name: str, tenant_name: str, as_json: bool, **given: Any) -> None:
    """Change a connection. What is not named stays; `--setting NAME=null` and an empty value take away."""
    try:
        with context.database() as engine:
            with reading(engine) as conn:
                stored = connections.named(conn, tenants.find(conn, tenant_name).id, name)
            imported, published = _imported(context, given, stored.settings.get("entity_id"))
            change = Change(
                title=given["title"],
                settings=imported | _settings(given) or None,
                claims=_claims(given["claims"]) or None,
                secret=_secret(given),
                domains=[one for one in given["domains"] if one] if given["domains"] else None,
                arrival=given["arrival"],
                paired=given["paired"],
                metadata=published,
            )
            changed = connecting.change(engine, lambda: context.vault, stored.tenant_id, name, change, actor())
    except BadConnectionError as error:
        raise click.UsageError(str(error)) from error
    _print(context, changed, as_json=as_json)


def _print(context: Context, stored: Stored, *, as_json: bool) -> None:
    data = described(stored, context.settings.public_url)
    show(data, text_of(data), as_json=as_json)


def _imported(
    context: Context, given: Mapping[str, Any], entity_id: str | None = None
) -> tuple[dict[str, Any], Metadata | None]:
    """What the provider's metadata says, and where it stands if it is to be read again.

    A connection's own entity id stays unless another one is named.
    """
    where, now = given["document"], datetime.now(UTC)
    if where is None:
        return {}, None
    signer = certificates.read(_blocks(given["signer"])[0]).body if given["signer"] else None
    published = where.startswith(("https://", "http://"))
    try:
        if published:
            web = way_out(context.settings.public_url, context.settings.outbound_networks or ())
            document, _ = metadata_import.fetch(web, where)
        else:
            document = sys.stdin.buffer.read() if where == "-" else Path(where).read_bytes()
        found = metadata_import.read(document, given["entity_id"] or entity_id, now, signed_with=signer)
    except (metadata_import.MetadataError, OSError) as error:
        raise click.UsageError(f"--metadata: {error}") from error
    settings = {"entity_id": found.entity_id, **found.settings}
    return settings, Metadata(where, signer, metadata_import.next_time(found, now)) if published else None


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: given[name] for name in _DIRECT if given[name] is not None}
    if given["certificates"]:
        said["certificates"] = [one for path in given["certificates"] for one in _blocks(path)]
    return said | {name: _value(text) for name, text in given["more"]}


def _blocks(path: Path) -> list[str]:
    """The certificates of a file, which may hold several."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise click.UsageError(f"{path} is no PEM file") from None
    return _PEM.findall(text) or [text]


def _claims(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str] | None]:
    """Names in their order; an empty one goes back to the usual names."""
    said: dict[str, list[str] | None] = {}
    for attribute, name in pairs:
        known = said.get(attribute)
        said[attribute] = None if not name else [*(known or []), name]
    return said


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _secret(given: Mapping[str, Any]) -> str | None:
    return sys.stdin.readline().strip() if given["secret"] else None
