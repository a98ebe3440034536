"""A client asks to sign the person out (OpenID Connect RP-Initiated Logout 1.0): what is done, and who is asked.

    a hint of ours, about this browser's session, or the browser has none   ▶ done at once
    no hint, one that is none of ours, or about another session            ▶ the person is asked

A hint is an ID token of ours, expired or not, that was made for the client which asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sso.authorizations import Authorizations
from sso.authorize import LONGEST_STATE
from sso.minting import Hint, Mint
from sso.relying_parties import RelyingParty

LARGEST: Final = 16 * 1024

Parameters = Mapping[str, Sequence[str]]


class WrongError(Exception):
    """A request that nothing is done for; the text completes "it says so wrongly: …"."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A request that can be carried out. `onward`: where the browser goes then, registered to the letter."""

    party: RelyingParty
    hint: Hint | None
    onward: str | None
    state: str | None

    def may_end(self, session_id: str | None) -> bool:
        """Whether nobody needs to be asked. `session_id` is this browser's, None where it has none."""
        return session_id is None or (self.hint is not None and self.hint.session_id == session_id)


def read(said: Parameters, keeper: Authorizations, mint: Mint) -> Leaving:
    """The request.

    Raises:
        WrongError: a parameter is there twice, there is no client, or the address to go to is not registered.
    """
    if any(len(values) > 1 for values in said.values()):
        raise WrongError("a parameter is there more than once")
    one = {name: values[0] for name, values in said.items() if values}
    hint = mint.read_hint(one["id_token_hint"]) if one.get("id_token_hint") else None
    client_id = one.get("client_id") or (hint.client_id if hint else "")
    if hint is not None and hint.client_id != client_id:
        raise WrongError("its id_token_hint was made for another client")
    party = keeper.party(client_id) if len(client_id) == 36 else None
    if party is None:
        raise WrongError("it names no registered client, by id_token_hint or by client_id")
    onward = one.get("post_logout_redirect_uri")
    if onward is not None and onward not in party.post_logout_redirect_uris:
        raise WrongError("its post_logout_redirect_uri is not registered for this client")
    state = one.get("state")
    return Leaving(party, hint, onward, state if state and len(state) <= LONGEST_STATE else None)
