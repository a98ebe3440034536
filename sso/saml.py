"""The SAML library, python3-saml, and the XML security libraries under it. No other module imports them."""

from __future__ import annotations

from importlib.metadata import version


def library_versions() -> dict[str, str]:
    """The versions of python3-saml, xmlsec and lxml, once they have been loaded.

    Raises:
        ImportError: one is missing, or xmlsec and lxml were built against different libxml2 versions.
    """
    from onelogin.saml2.auth import OneLogin_Saml2_Auth

    del OneLogin_Saml2_Auth
    return {name: version(name) for name in ("python3-saml", "xmlsec", "lxml")}
