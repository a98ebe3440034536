"""Where a signature may stand and the one shape it may have: all that a verifier would execute is on a list.

Verification runs whatever SignedInfo says, before anybody knows whose key it is: transforms that never end, references
to files. So it says exactly this: one reference, to the element that the signature stands in, by enveloped-signature
and exclusive canonicalisation. KeyInfo may stand there and is not read: keys come from the connection only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sso import xml
from sso.errors import SignInError
from sso.saml_names import DIGESTS, DSIG, ENVELOPED, EXCLUSIVE, SIGNATURES, ds, saml
from sso.xml import Element, children, is_blank, local

MOST_PREFIXES: Final = 10
LONGEST_PREFIXES: Final = 200
LONGEST_VALUE: Final = 4_096  # characters of a signature value, line breaks included

_INCLUSIVE: Final = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
_KEY_INFO: Final = frozenset({ds("X509Data"), ds("KeyName"), ds("KeyValue")})
_UNREAD: Final = frozenset({ds("RetrievalMethod"), ds("Object"), ds("Manifest"), ds("Transforms"), ds("Reference")})


def check(root: Element, parts: Iterable[Element]) -> None:
    """Each Signature in `parts`, the children of `root`, is a child of `root` or of one of its signable children.

    Raises:
        SignInError: `signature` or `algorithm`.
    """
    for part in parts:
        allowed: set[Element] = set()
        if local(part) == "Signature":
            _shape(part, root)
            allowed.update(xml.walk(part))
        elif part.tag == saml("Assertion"):
            for signature in children(part, ds("Signature")):
                _shape(signature, part)
                allowed.update(xml.walk(signature))
        for each in xml.walk(part):
            if (each.tag.startswith(f"{{{DSIG}}}") or local(each) == "Signature") and each not in allowed:
                raise SignInError("signature", f"{local(each)}: found inside {local(part)}, where none belongs")
    for parent in (root, *(part for part in root if part.tag == saml("Assertion"))):
        found = len(children(parent, ds("Signature")))
        if found > 1:
            raise SignInError("signature", f"{local(parent)}: expected one Signature, found {found}")


def check_one(signature: Element, parent: Element) -> None:
    """The signature, a child of `parent`, is of the one shape.

    Raises:
        SignInError: `signature` or `algorithm`.
    """
    _shape(signature, parent)


def _shape(signature: Element, parent: Element) -> None:
    if signature.tag != ds("Signature"):
        raise SignInError("signature", f"Signature: found in the namespace of {signature.tag[:80]}")
    parts = list(signature)
    _exactly(signature, [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")][: max(2, len(parts))])
    _signed_info(parts[0], parent)
    if not 0 < len(xml.text(parts[1], "signature")) <= LONGEST_VALUE:
        raise SignInError("signature", "SignatureValue: expected base64 of a usual length")
    if len(parts) == 3:
        _key_info(parts[2])


def _signed_info(info: Element, parent: Element) -> None:
    _exactly(info, [ds("CanonicalizationMethod"), ds("SignatureMethod"), ds("Reference")])
    canonical, method, reference = info
    _canonical(canonical)
    _listed(method, SIGNATURES)
    _exactly(method, [])
    _exactly(reference, [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")])
    if set(reference.attrib) - {"URI", "Id"} or reference.get("URI") != f"#{parent.get('ID') or ''}":
        raise SignInError(
            "signature", f"Reference: expected #{parent.get('ID')}, found {(reference.get('URI') or 'none')[:80]}"
        )
    transforms, digest, value = reference
    _exactly(transforms, [ds("Transform"), ds("Transform")])
    enveloped, exclusive = transforms
    if enveloped.get("Algorithm") != ENVELOPED:
        raise SignInError("algorithm", f"first Transform: expected enveloped-signature, found {_algorithm(enveloped)}")
    _exactly(enveloped, [])
    _canonical(exclusive)
    _listed(digest, DIGESTS)
    _exactly(digest, [])
    if not 0 < len(xml.text(value, "signature")) <= LONGEST_VALUE:
        raise SignInError("signature", "DigestValue: expected base64 of a usual length")


def _canonical(element: Element) -> None:
    """Exclusive canonicalisation without comments, and a short list of prefixes (Okta and Shibboleth send one)."""
    if element.get("Algorithm") != EXCLUSIVE:
        raise SignInError(
            "algorithm", f"{local(element)}: expected exclusive canonicalisation, found {_algorithm(element)}"
        )
    _exactly(element, [_INCLUSIVE] if len(element) else [])
    for each in element:
        _exactly(each, [])
        prefixes = each.get("PrefixList") or ""
        if len(prefixes) > LONGEST_PREFIXES or len(prefixes.split()) > MOST_PREFIXES:
            raise SignInError("algorithm", f"PrefixList: expected at most {MOST_PREFIXES} prefixes")
        if "#default" in prefixes.split() and element.tag == ds("CanonicalizationMethod"):
            raise SignInError("algorithm", "PrefixList: #default is not accepted for SignedInfo")  # lxml drops it


def _listed(element: Element, algorithms: frozenset[str]) -> None:
    if element.get("Algorithm") not in algorithms:
        raise SignInError("algorithm", f"{local(element)}: {_algorithm(element)} is not accepted")


def _key_info(element: Element) -> None:
    for each in element:
        if each.tag not in _KEY_INFO:
            raise SignInError("signature", f"KeyInfo: found {local(each)}, which is never followed")
        for inner in xml.walk(each):
            if inner.tag in _UNREAD:
                raise SignInError("signature", f"KeyInfo: found {local(inner)}, which is never followed")


def _exactly(element: Element, tags: list[str]) -> None:
    found = [child.tag for child in element]
    if found != tags or (tags and not is_blank(element)):
        names = ", ".join(local(tag) for tag in tags) or "nothing"
        inside = ", ".join(local(tag) for tag in found[:8]) or "nothing or text"
        raise SignInError("signature", f"{local(element)}: expected {names} inside, found {inside}")


def _algorithm(element: Element) -> str:
    return (element.get("Algorithm") or "none")[:120]
