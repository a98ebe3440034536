"""Why a sign-in is refused: the closed list of codes, with the one sentence that the person reads for each."""

from __future__ import annotations

from typing import Final

AGAIN: Final = "Please start again from your learning platform."
NOT_ACCEPTED: Final = "The answer of your organisation's sign-in page was not accepted."

SENTENCES: Final = {
    # the message itself
    "malformed": NOT_ACCEPTED,
    "too_large": NOT_ACCEPTED,
    "signature": NOT_ACCEPTED,
    "algorithm": NOT_ACCEPTED,
    "encryption": NOT_ACCEPTED,
    "issuer": NOT_ACCEPTED,
    "audience": NOT_ACCEPTED,
    "recipient": NOT_ACCEPTED,
    "destination": NOT_ACCEPTED,
    "subject": NOT_ACCEPTED,
    "conditions": NOT_ACCEPTED,
    "attributes": NOT_ACCEPTED,
    "context": "Your organisation's sign-in did not use the method that is required here.",
    "expired": f"This sign-in took too long. {AGAIN}",
    "not_yet_valid": "The clock of your organisation's sign-in page does not agree with ours.",
    "provider_refused": "Your organisation's sign-in page did not let you in.",
    "provider_unreachable": "Your organisation's sign-in page does not answer. Please try again in a few minutes.",
    # around it
    "replayed": f"This sign-in was used before. {AGAIN}",
    "unsolicited": f"This sign-in did not begin here. {AGAIN}",
    "other_browser": f"This sign-in began in another browser, or cookies are blocked. {AGAIN}",
    "unknown_request": f"This sign-in took too long, or was used before. {AGAIN}",
    "disabled": "Signing in through this organisation is switched off.",
    "busy": "Too much is going on at the moment. Please try again.",
    # who it is
    "not_provisioned": "You do not have an account here yet. Please ask your administrator.",
    "inactive": "Your account is not active. Please ask your administrator.",
    "ambiguous": "Your account could not be told from another one. Please ask your administrator.",
}
