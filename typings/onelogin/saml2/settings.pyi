from typing import Any

class OneLogin_Saml2_Settings:
    def __init__(self, settings: dict[str, Any]) -> None: ...
