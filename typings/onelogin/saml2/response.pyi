from typing import Any

from lxml.etree import _Element
from onelogin.saml2.settings import OneLogin_Saml2_Settings

class OneLogin_Saml2_Response:
    _settings: OneLogin_Saml2_Settings
    _error: str | None
    document: _Element
    decrypted_document: _Element | None
    encrypted: bool | None
    valid_scd_not_on_or_after: Any
    def __init__(self, settings: OneLogin_Saml2_Settings, response: str) -> None: ...
    def check_status(self) -> None: ...
    def validate_num_assertions(self) -> bool: ...
    def process_signed_elements(self) -> list[str]: ...
