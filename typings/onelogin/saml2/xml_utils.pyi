from lxml.etree import _Element

class OneLogin_Saml2_XML:
    @staticmethod
    def validate_xml(xml: _Element, schema: str, debug: bool = ...) -> _Element | str: ...
