"""Hostile JWTs of any kind: each is made of claims that would be accepted, by a signer whose keys are trusted.

    for name, attack in tokens(SIGNER, claims).items(): … is refused for attack.code

Whoever plays them publishes `SIGNER.public` as the issuer's key set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Attack:
    """A token, and the code of `sso.refusals` for which it is refused."""

    token: str
    code: str


def encoded(value: Any) -> str:
    """Base64url of bytes, or of a value as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Signer:
    """An issuer's keys, one an algorithm, and a stranger's with the same name. It signs whatever it is given."""

    def __init__(self) -> None:
        self.rsa, self.stranger = (RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}) for _ in range(2))
        self.ec = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
        self.ed = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})

    @cached_property
    def public(self) -> list[dict[str, Any]]:
        return [self.jwk(key) for key in (self.rsa, self.ec, self.ed)]

    @staticmethod
    def jwk(key: Key) -> dict[str, Any]:
        return dict(key.as_dict(private=False))

    def sign(self, claims: Any, algorithm: str = "RS256", key: Key | None = None, **header: Any) -> str:
        """A token of the claims (bytes are taken as they are); `...` removes a member of the header."""
        used = key or {"ES256": self.ec, "EdDSA": self.ed}.get(algorithm, self.rsa)
        full = {"alg": algorithm, "kid": self.jwk(used)["kid"], "typ": "JWT", **header}
        return self.sealed({name: value for name, value in full.items() if value is not ...}, claims, algorithm, used)

    def sealed(self, header: Any, claims: Any, algorithm: str = "RS256", key: Key | None = None) -> str:
        """A token with exactly this header, signed by `algorithm`."""
        signed = f"{encoded(header)}.{encoded(claims)}"
        return f"{signed}.{encoded(self.mark(signed.encode(), algorithm, key or self.rsa))}"

    @staticmethod
    def mark(signed: bytes, algorithm: str, key: Any) -> bytes:
        private = key.private_key
        if algorithm == "EdDSA":
            return bytes(private.sign(signed))
        if algorithm.startswith("ES"):
            der = private.sign(signed, ec.ECDSA(hashes.SHA256()))
            return b"".join(half.to_bytes(32, "big") for half in utils.decode_dss_signature(der))
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
        pss = padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)
        return bytes(private.sign(signed, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest))


SIGNER: Final = Signer()
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")


def tokens(signer: Signer, claims: Mapping[str, Any]) -> dict[str, Attack]:
    """All of them. `claims` are those of a genuine token."""
    found: dict[str, Attack] = {}
    for make in (_shapes, _algorithms, _confusions, _headers, _signatures, _payloads):
        found |= {name: Attack(token, code) for name, (token, code) in make(signer, dict(claims)).items()}
    return found


_Made = dict[str, tuple[str, str]]


def _shapes(signer: Signer, claims: dict[str, Any]) -> _Made:
    good = signer.sign(claims)
    head, body, mark = good.split(".")
    wrong = {
        "empty": "",
        "dots only": "..",
        "one part": head,
        "two parts": f"{head}.{body}",
        "signature empty": f"{head}.{body}.",
        "header empty": f".{body}.{mark}",
        "payload empty, as when detached": f"{head}..{mark}",
        "four parts": f"{good}.{mark}",
        "JWE": f"{head}.{body}.{mark}.{body}.{mark}",
        "padding added": f"{good}==",
        "padding inside": f"{head}==.{body}.{mark}",
        "white space before": f" {good}",
        "white space after": f"{good}\n",
        "white space inside": f"{head}.{body[:9]} {body[9:]}.{mark}",
        "line break inside a part": f"{head}.{body[:9]}\n{body[9:]}.{mark}",
        "standard base64": f"{head}.{body}.{base64.b64encode(b'?>' * 128).decode().rstrip('=')}",
        "other characters inside": f"{head}.{body[:9]}!{body[9:]}.{mark}",
        "NUL": f"{head}.{body}.{mark}\0",
        "letters of another script": f"{head}.{body}.{mark[:-1]}а",
        "a length that is no base64": f"{head}.{body}.{mark[: len(mark) // 4 * 4]}A",
        "second spelling of the last letter": _respelt(good),
        "Bearer before it": f"Bearer {good}",
        "JSON serialisation": json.dumps({"payload": body, "protected": head, "signature": mark}),
        "general JSON serialisation": json.dumps(
            {"payload": body, "signatures": [{"protected": head, "signature": mark}]}
        ),
    }
    return {
        **{name: (token, "malformed") for name, token in wrong.items()},
        "a megabyte": (f"{head}.{'A' * 1_000_000}.{mark}", "too_large"),
        "a megabyte of dots": ("." * 1_000_000, "too_large"),
        "signed, but of 17 KB": (signer.sign({**claims, "more": "x" * 13_000}), "too_large"),
    }


def _algorithms(signer: Signer, claims: dict[str, Any]) -> _Made:
    _, body, mark = signer.sign(claims).split(".")
    nones = ["none", "None", "NONE", "nOnE", " none", ""]
    unsigned = {f"alg {alg!r}": f"{encoded({'alg': alg, 'kid': 'rsa'})}.{body}.{mark}" for alg in nones}
    odd: dict[str, Any] = {"a list": ["RS256"], "null": None, "a number": 256, "an object": {"RS256": 1}, "true": True}
    return {
        **{name: (token, "algorithm") for name, token in unsigned.items()},
        **{
            f"alg {name}": (f"{encoded({'alg': alg, 'kid': 'rsa'})}.{body}.{mark}", "algorithm")
            for name, alg in odd.items()
        },
        "alg none, signature empty": (f"{encoded({'alg': 'none'})}.{body}.", "malformed"),
        "alg missing": (signer.sealed({"kid": "rsa"}, claims), "algorithm"),
        "alg in lower case": (signer.sign(claims, alg="rs256"), "algorithm"),
        "RS384 by the right key": (signer.sign(claims, "RS384"), "algorithm"),
        "RS512 by the right key": (signer.sign(claims, "RS512"), "algorithm"),
        "PS384 by the right key": (signer.sign(claims, "PS384"), "algorithm"),
        "ES256 by name, signed RS256": (signer.sign(claims, alg="ES256"), "signature"),
        "PS256 by name, signed RS256": (signer.sign(claims, alg="PS256"), "signature"),
        "RS256 by name, signed PS256": (signer.sign(claims, "PS256", alg="RS256"), "signature"),
        "RS256 with the EC key's kid": (signer.sign(claims, kid="ec"), "signature"),
        "EdDSA with the RSA key's kid": (signer.sign(claims, "EdDSA", kid="rsa"), "signature"),
    }


def _confusions(signer: Signer, claims: dict[str, Any]) -> _Made:
    """HMAC keyed with what is public (CVE-2022-29217, CVE-2024-33663, CVE-2024-37568)."""
    pem = bytes(signer.rsa.as_pem(private=False))
    public = signer.jwk(signer.rsa)
    secrets = {
        "the public key as PEM": pem,
        "PEM without its last line break": pem.strip(),
        "PEM with a line break more": pem + b"\n",
        "PEM with a space before": b" " + pem,
        "PEM's body alone": b"".join(pem.splitlines()[1:-1]),
        "DER": bytes(signer.rsa.as_der(private=False)),
        "the modulus": public["n"].encode(),
        "the modulus as bytes": base64.urlsafe_b64decode(public["n"] + "=="),
        "the JWK": json.dumps(public).encode(),
        "the JWK, sorted and dense": json.dumps(public, sort_keys=True, separators=(",", ":")).encode(),
        "nothing": b"",
        "the client id": str(claims.get("aud")).encode(),
    }
    made: _Made = {}
    for name, secret in secrets.items():
        for bits in (256, 512):
            signed = f"{encoded({'alg': f'HS{bits}', 'kid': 'rsa', 'typ': 'JWT'})}.{encoded(claims)}"
            mark = hmac.new(secret, signed.encode(), getattr(hashlib, f"sha{bits}")).digest()
            made[f"HS{bits} keyed with {name}"] = (f"{signed}.{encoded(mark)}", "algorithm")
    return made


def _headers(signer: Signer, claims: dict[str, Any]) -> _Made:
    stranger = signer.jwk(signer.stranger)
    planted: dict[str, Any] = {
        "jwk": stranger,
        "jku": "https://attacker.example/keys",
        "x5u": "https://attacker.example/certificate",
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "crit empty": [],
        "b64": False,
        "b64 true": True,
        "zip": "DEF",
        "enc": "A128GCM",
        "epk": {},
        "unknown": 1,
    }
    kids: dict[str, tuple[Any, str]] = {
        "a path": ("../../../dev/null", "signature"),
        "SQL": ("x' UNION SELECT 'k", "signature"),
        "an expression": ("{{7*7}}$(id)", "signature"),
        "an address": ("https://attacker.example/k", "signature"),
        "unknown": ("nobody", "signature"),
        "in another case": ("RSA", "signature"),
        "with a space": ("rsa ", "signature"),
        "with a NUL": ("rsa\0", "malformed"),
        "half a character": ("\ud800", "malformed"),
        "empty": ("", "malformed"),
        "20 KB": ("k" * 20_000, "too_large"),
        "300 characters": ("k" * 300, "malformed"),
        "a number": (7, "malformed"),
        "true": (True, "malformed"),
        "a list": (["rsa"], "malformed"),
        "an object": ({"rsa": 1}, "malformed"),
    }
    raw = {
        "header nested deep": b"[" * 5_000,
        "header object nested deep": b'{"a":' * 1_500 + b"1" + b"}" * 1_500,
        "header with a number of 6,000 digits": b'{"alg":"RS256","kid":' + b"9" * 6_000 + b"}",
        "header with alg twice": b'{"alg":"none","alg":"RS256","kid":"rsa"}',
        "header with kid twice": b'{"alg":"RS256","kid":"x","kid":"rsa"}',
        "header a list": b'["RS256"]',
        "header a text": b'"RS256"',
        "header null": b"null",
        "header no JSON": b"{alg: RS256}",
        "header not UTF-8": b'{"alg":"RS256","kid":"\xff"}',
        "header in UTF-16": '{"alg":"RS256","kid":"rsa"}'.encode("utf-16"),
        "header with a byte order mark": b'\xef\xbb\xbf{"alg":"RS256","kid":"rsa"}',
        "header with NaN": b'{"alg":"RS256","kid":"rsa","typ":NaN}',
        "header and more": b'{"alg":"RS256","kid":"rsa"} {}',
    }
    types: list[Any] = ["at+jwt", "application/at+jwt", "secevent+jwt", "JOSE", "dpop+jwt", 7, ["JWT"], None]
    return {
        **{
            f"{name} in the header": (signer.sign(claims, **{name.split()[0]: value}), "malformed")
            for name, value in planted.items()
        },
        "jwk in the header, signed by it": (
            signer.sign(claims, key=signer.stranger, jwk=stranger, kid=...),
            "malformed",
        ),
        **{f"kid {name}": (signer.sign(claims, kid=kid), code) for name, (kid, code) in kids.items()},
        **{name: (signer.sealed(data, claims), "malformed") for name, data in raw.items()},
        **{f"typ {typ!r}": (signer.sign(claims, typ=typ), "malformed") for typ in types},
    }


def _signatures(signer: Signer, claims: dict[str, Any]) -> _Made:
    head, body, mark = signer.sign(claims).split(".")
    es, es_body, es_mark = signer.sign(claims, "ES256").split(".")
    ed, ed_body, _ = signer.sign(claims, "EdDSA").split(".")
    half = base64.urlsafe_b64decode(es_mark + "==")[:32]
    order = P256_ORDER.to_bytes(32, "big")
    der = signer.ec.private_key.sign(f"{es}.{es_body}".encode(), ec.ECDSA(hashes.SHA256()))  # type: ignore[union-attr]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    points = {
        "zeros": bytes(64),
        "r zero": bytes(32) + half,
        "s zero": half + bytes(32),
        "r and s the order": order * 2,
        "r one, s one": (b"\0" * 31 + b"\1") * 2,
        "DER": der,
        "63 bytes": bytes(base64.urlsafe_b64decode(es_mark + "=="))[:63],
        "a byte more": bytes(base64.urlsafe_b64decode(es_mark + "==")) + b"\0",
    }
    wrong = {
        "payload changed": f"{head}.{encoded({**claims, 'sub': 'admin'})}.{mark}",
        "header changed": f"{encoded({'alg': 'RS256', 'kid': 'rsa'})}.{body}.{mark}",
        "payload changed, nested deep": f"{head}.{encoded(b'[' * 5_000)}.{mark}",
        "a bit of the signature changed": f"{head}.{body}.{encoded(_flipped(mark))}",
        "signature cut": f"{head}.{body}.{encoded(_flipped(mark)[:-3])}",
        "signature of zeros": f"{head}.{body}.{encoded(bytes(256))}",
        "signature of another token": f"{head}.{body}.{signer.sign({**claims, 'x': 1}).split('.')[2]}",
        "signed by a stranger of the same kid": signer.sign(claims, key=signer.stranger),
        "signed by a stranger without kid": signer.sign({**claims}, key=signer.stranger, kid=...),
        "signed by a weak key": signer.sign(claims, key=weak),
        "Ed25519 of zeros": f"{ed}.{ed_body}.{encoded(bytes(64))}",
        "Ed25519 of the neutral point": f"{ed}.{ed_body}.{encoded(bytes([1]) + bytes(63))}",
        "Ed25519 cut": f"{ed}.{ed_body}.{encoded(bytes(63))}",
        **{f"ES256, {name}": f"{es}.{es_body}.{encoded(point)}" for name, point in points.items()},
    }
    return {name: (token, "signature") for name, token in wrong.items()}


def _payloads(signer: Signer, claims: dict[str, Any]) -> _Made:
    """Genuinely signed, and yet not to be read."""
    text = json.dumps(claims).encode()
    raw: dict[str, bytes] = {
        "sub twice": text[:-1] + b', "sub": "admin"}',
        "aud twice": text[:-1] + b', "aud": "x"}',
        "a member twice inside another": text[:-1] + b', "a": {"b": 1, "b": 2}}',
        "nested deep": b"[" * 5_000,
        "an object nested deep": b'{"a":' * 1_500 + b"1" + b"}" * 1_500,
        "a number of 6,000 digits": text[:-1] + b', "n": ' + b"9" * 6_000 + b"}",
        "a list": b"[" + text + b"]",
        "a text": b'"x"',
        "null": b"null",
        "no JSON": b"{sub: x}",
        "no bytes but one": b"{",
        "not UTF-8": text[:-1] + b', "n": "\xff"}',
        "UTF-16": json.dumps(claims).encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + text,
        "NaN": text[:-1] + b', "n": NaN}',
        "Infinity": text[:-1] + b', "n": -Infinity}',
        "half a character": text[:-1] + b', "n": "\\ud800"}',
        "NUL in a text": text[:-1] + b', "n": "a\\u0000b"}',
        "more after it": text + b" {}",
    }
    return {f"payload: {name}": (signer.sign(data), "malformed") for name, data in raw.items()}


def _respelt(token: str) -> str:
    """The same bytes in base64url with other unused bits: 256 bytes of signature leave four of them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def _flipped(mark: str) -> bytes:
    data = bytearray(base64.urlsafe_b64decode(mark + "=="))
    data[100] ^= 1
    return bytes(data)
