from collections.abc import Iterator

from sly.lex import Token

class SCIMLexer:
    def tokenize(self, text: str) -> Iterator[Token]: ...
