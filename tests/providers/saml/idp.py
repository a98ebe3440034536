"""A SAML identity provider on pysaml2, for the journeys: run by the Python of its own environment.

    idp.py PORT        prints "ready" when it listens on 127.0.0.1

People sign in by name, without a password. What it does wrong, and for whom, is said by POST /control (JSON, merged):

    sp            the service provider's metadata, XML
    people        name → attributes; who is not named gets an address and no groups
    encrypt       how assertions are encrypted: gcm, cbc (AES 256) or 3des, pysaml2's own choice
    sign_assertion, sign_response                 what is signed; pysaml2 signs no assertion that it encrypts
    audience      another audience;  lifetime: minutes that a message is valid, negative: expired
    sign_with     the index of the signing key;  publish: the indexes of the certificates in the metadata
    binding       redirect or post: how logout messages are sent
    elsewhere     the beginning of another address, by which the sign-in page is come to
    name_id       the NameID's format;  context: the AuthnContextClassRef

GET /control answers with all of it and with what happened. GET /metadata, /sso, /start (IdP-initiated), /slo, /logout.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
import tempfile
import threading
import uuid
from datetime import UTC, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml
from saml2.assertion import Policy
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.server import Server
from saml2.time_util import in_a_while
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

COOKIE = "pysaml2-idp"
BINDINGS = {"redirect": BINDING_HTTP_REDIRECT, "post": BINDING_HTTP_POST}
CIPHERS = {
    "gcm": ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"),
    "cbc": ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "aes-256"),
    "3des": ("http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "des-192"),
}
ALGORITHMS = {"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256}
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
DEFAULTS = {
    "sp": None,
    "people": {},
    "encrypt": None,
    "sign_assertion": True,
    "sign_response": True,
    "audience": None,
    "lifetime": 5,
    "sign_with": 0,
    "publish": [0],
    "binding": "redirect",
    "elsewhere": None,
    "name_id": saml.NAMEID_FORMAT_EMAILADDRESS,
    "context": PASSWORD,
}


class Watched(Server):
    """Remembers the assertion that it made last: once encrypted, its SessionIndex cannot be read any more."""

    last = None

    def setup_assertion(self, *args, **kwargs):
        self.last = super().setup_assertion(*args, **kwargs)
        return self.last


class Bent(Policy):
    """Conditions as the control asks for, right or wrong."""

    def __init__(self, state, **kwargs):
        super().__init__({"default": {"name_form": saml.NAME_FORMAT_URI}}, **kwargs)
        self.state = state

    def not_on_or_after(self, sp_entity_id):
        return in_a_while(minutes=self.state["lifetime"])

    def conditions(self, sp_entity_id):
        return super().conditions(self.state["audience"] or sp_entity_id)


class Idp:
    """The provider's state, and what it does at each address. Every method answers with (status, headers, body)."""

    def __init__(self, port, folder):
        self.base = f"http://localhost:{port}"
        self.keys = [_key(Path(folder), number) for number in range(2)]
        self.state = dict(DEFAULTS)
        self.sessions = {}
        self.events = []
        self.lock = threading.RLock()
        self.server = self._server()

    def control(self, wanted):
        unknown = set(wanted) - set(DEFAULTS)
        if unknown:
            return _page(f"unknown: {sorted(unknown)}", 400)
        self.state.update(wanted)
        self.server = self._server()
        return self.told()

    def told(self):
        return 200, {"Content-Type": "application/json"}, json.dumps({**self.state, "events": self.events})

    def metadata(self):
        return 200, {"Content-Type": "application/samlmetadata+xml"}, str(entity_descriptor(self._config()))

    def sso(self, method, fields, cookie):
        """Answers a request of the service provider: at once if somebody is signed in here, else with the form."""
        request = self._read(method, fields, self.server.parse_authn_request)
        message = request.message
        asked = {
            "sp": message.issuer.text,
            "id": message.id,
            "acs": message.assertion_consumer_service_url or "",
            "relay_state": fields.get("RelayState", ""),
        }
        session = self.sessions.get(cookie)
        self._tell("asked", force=message.force_authn, context=bool(message.requested_authn_context))
        if session and message.force_authn != "true":
            return self._answer(session, asked)
        if self.state["elsewhere"]:
            return 303, {"Location": f"{self.state['elsewhere']}/ask?{urlencode(asked)}"}, ""
        return self.ask(asked)

    def ask(self, asked):
        """The sign-in page."""
        return _form(f"{self.base}/login", {**asked, "user": None})

    def start(self, fields, cookie):
        """Sign-in that begins here. `user` names the person if nobody is signed in."""
        asked = {"sp": fields["sp"], "id": "", "acs": "", "relay_state": fields.get("relay_state", "")}
        if cookie in self.sessions:
            return self._answer(self.sessions[cookie], asked)
        return self.login({**asked, "user": fields["user"]})

    def login(self, fields):
        secret = uuid.uuid4().hex
        self.sessions[secret] = {"user": fields["user"], "at": {}}
        status, headers, body = self._answer(self.sessions[secret], fields)
        return status, {**headers, "Set-Cookie": f"{COOKIE}={secret}; HttpOnly; Path=/"}, body

    def slo(self, method, fields, cookie):
        """The service provider asks for a logout, or answers ours."""
        if "SAMLResponse" in fields:
            response = self._read(method, fields, self.server.parse_logout_request_response, "SAMLResponse")
            self._tell("logout answered", success=bool(response.status_ok()), to=response.response.in_response_to)
            return _page("You are signed out.")
        message = self._read(method, fields, self.server.parse_logout_request).message
        ended = [
            secret
            for secret, session in self.sessions.items()
            if session["at"].get(message.issuer.text, (None, None))[0] == str(message.name_id)
        ]
        for secret in ended:
            del self.sessions[secret]
        self._tell("logout asked", name_id=message.name_id.text, indexes=len(message.session_index), ended=len(ended))
        binding = BINDINGS[self.state["binding"]]
        answer = self.server.create_logout_response(message, [binding], sign=binding == BINDING_HTTP_POST, **ALGORITHMS)
        destination = self.server.response_args(message, [binding])["destination"]
        return self._send(binding, answer, destination, fields.get("RelayState", ""), response=True)

    def logout(self, cookie):
        """Logout that begins here: tells the service provider through the browser."""
        session = self.sessions.pop(cookie, None)
        if session is None or not session["at"]:
            return _page("Nobody is signed in.")
        sp, (name_id, index) = next(iter(session["at"].items()))
        binding = BINDINGS[self.state["binding"]]
        found = self.server.metadata.single_logout_service(sp, binding, "spsso")
        request = self.server.create_logout_request(
            found[0]["location"],
            sp,
            name_id=saml.name_id_from_string(name_id),
            session_indexes=[index],
            expire=in_a_while(minutes=5),
            sign=binding == BINDING_HTTP_POST,
            **ALGORITHMS,
        )
        request = request[1] if isinstance(request, tuple) else request
        return self._send(binding, request, found[0]["location"], "", response=False)

    def _answer(self, session, asked):
        sp = asked["sp"]
        acs = asked["acs"] or self.server.metadata.assertion_consumer_service(sp, BINDING_HTTP_POST)[0]["location"]
        user = session["user"]
        attributes = {"mail": [user], "displayName": [user.partition("@")[0].title()]}
        name_id = saml.NameID(format=self.state["name_id"], text=user)
        with self.lock:
            response = self.server.create_authn_response(
                {**attributes, **self.state["people"].get(user, {})},
                asked["id"] or None,
                acs,
                sp,
                userid=user,
                name_id=name_id,
                authn={"class_ref": self.state["context"], "authn_auth": self.base},
                release_policy=Bent(self.state, mds=self.server.metadata),
                sign_response=self.state["sign_response"],
                sign_assertion=self.state["sign_assertion"],
                encrypt_assertion=self.state["encrypt"] is not None,
                **ALGORITHMS,
            )
            index = self.server.last.authn_statement[0].session_index
        session["at"][sp] = (str(name_id), index)
        self._tell("signed in", user=user, unsolicited=not asked["id"])
        return _form(acs, {"SAMLResponse": _base64(str(response)), "RelayState": asked["relay_state"]})

    def _read(self, method, fields, parse, name="SAMLRequest"):
        binding = BINDING_HTTP_REDIRECT if method == "GET" else BINDING_HTTP_POST
        if name == "SAMLResponse":
            return parse(fields[name], binding)
        if binding == BINDING_HTTP_POST:
            return parse(fields[name], binding)
        signature = {"sigalg": fields.get("SigAlg"), "signature": fields.get("Signature")}
        return parse(fields[name], binding, relay_state=fields.get("RelayState"), **signature)

    def _send(self, binding, message, destination, relay_state, *, response):
        sign = binding == BINDING_HTTP_REDIRECT
        made = self.server.apply_binding(
            binding, str(message), destination, relay_state, response=response, sign=sign, sigalg=SIG_RSA_SHA256
        )
        if sign:
            return 302, {"Location": dict(made["headers"])["Location"]}, ""
        name = "SAMLResponse" if response else "SAMLRequest"
        return _form(destination, {name: _base64(str(message)), "RelayState": relay_state})

    def _tell(self, what, **more):
        self.events.append({"what": what, **more})

    def _server(self):
        server = Watched(config=self._config())
        encrypt = server.sec.encrypt_assertion

        def chosen(statement, certificate, template, node_xpath=None):
            algorithm, kind = CIPHERS[self.state["encrypt"]]
            template.encryption_method.algorithm = algorithm
            return encrypt(statement, certificate, template, key_type=kind, node_xpath=node_xpath)

        server.sec.encrypt_assertion = chosen
        return server

    def _config(self):
        private, certificate = self.keys[self.state["sign_with"]]
        published = [self.keys[number][1] for number in self.state["publish"]]
        both = (BINDING_HTTP_REDIRECT, BINDING_HTTP_POST)
        endpoints = {
            "single_sign_on_service": [(f"{self.base}/sso", binding) for binding in both],
            "single_logout_service": [
                (f"{self.base}/slo", binding)
                for binding in sorted(both, key=lambda each: each != BINDINGS[self.state["binding"]])
            ],
        }
        idp = {"endpoints": endpoints, "want_authn_requests_signed": True, "name_id_format": [self.state["name_id"]]}
        config = IdPConfig().load(
            {
                "entityid": f"{self.base}/metadata",
                "service": {"idp": idp},
                "key_file": private,
                "cert_file": certificate,
                "additional_cert_files": [each for each in published if each != certificate],
                "metadata": {"inline": [self.state["sp"]]} if self.state["sp"] else {},
                "xmlsec_binary": "/usr/bin/xmlsec1",
                "accepted_time_diff": 60,
                "delete_tmpfiles": True,
            }
        )
        if certificate not in published:  # signed with a key that nobody was told of
            config.cert_file = published[0]
            config.additional_cert_files = published[1:]
        return config


def _handler(idp):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._do("GET", urlsplit(self.path).query)

        def do_POST(self):
            self._do("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

        def log_message(self, *_args):
            return

        def _do(self, method, text):
            try:
                status, headers, body = self._answer(method, text)
            except Exception as error:  # whatever pysaml2 raises is told
                logging.exception("refused")
                idp.events.append({"what": "refused", "why": repr(error)})
                status, headers, body = _page(repr(error), 400)
            data = body.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _answer(self, method, text):
            path = urlsplit(self.path).path
            if path == "/control":
                return idp.control(json.loads(text)) if method == "POST" else idp.told()
            fields = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
            jar = self.headers.get("Cookie", "")
            cookie = next((part.strip()[len(COOKIE) + 1 :] for part in jar.split(";") if COOKIE in part), "")
            acts = {
                "/metadata": idp.metadata,
                "/sso": lambda: idp.sso(method, fields, cookie),
                "/ask": lambda: idp.ask(fields),
                "/start": lambda: idp.start(fields, cookie),
                "/login": lambda: idp.login(fields),
                "/slo": lambda: idp.slo(method, fields, cookie),
                "/logout": lambda: idp.logout(cookie),
            }
            return acts[path]() if path in acts else _page("not found", 404)

    return Handler


def _form(action, fields):
    shown = "".join(
        f'<input name="{escape(name)}">'
        if value is None
        else f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return _page(f'<form method="post" action="{escape(action)}">{shown}<button>Go on</button></form>', raw=True)


def _page(text, status=200, *, raw=False):
    return status, {}, f"<!doctype html><title>IdP</title>{text if raw else escape(text)}"


def _base64(text):
    return base64.b64encode(text.encode()).decode()


def _key(folder, number):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"idp {number}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    paths = folder / f"{number}.key", folder / f"{number}.crt"
    paths[0].write_bytes(pem)
    paths[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return tuple(str(path) for path in paths)


def main():
    port = int(sys.argv[1])
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(Idp(port, folder)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


main()
