"""The grammar of filters and paths: text in, names and literals out, nothing resolved yet.

    text ─▶ literals taken out ─▶ lexer ─▶ caps ─▶ `and` bound tighter ─▶ parser ─▶ Node

scim2-filter-parser is used for its lexer and its grammar only. Its tree loses the kind of a literal and gives `and`
and `or` one precedence (RFC 7644 §3.4.2.2 and erratum 4670 say otherwise), hence the two steps around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scim2_filter_parser.ast import AST, AttrExpr, AttrPath, Filter, LogExpr
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser, SCIMParserError

if TYPE_CHECKING:
    from sly.lex import Token

    from scim.store import Limits

_LITERAL = re.compile(
    r'"(?:[^"\\\x00-\x1f]|\\.)*"'
    r"|(?<=\s)(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s)\]]|$)"
)


class GrammarError(ValueError):
    """The text is not a filter. The message is fit to be shown."""


@dataclass(frozen=True, slots=True)
class Name:
    """`text` as typed, URN and dots included; `where` is the bracket's content, `sub` what follows the bracket."""

    text: str
    where: Node | None = None
    sub: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    name: Name
    operator: str
    literal: Any = None


@dataclass(frozen=True, slots=True)
class Junction:
    operator: str
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    term: Node


@dataclass(frozen=True, slots=True)
class Bracket:
    name: Name
    term: Node


Node = Term | Junction | Negation | Bracket


def parse(text: str, limits: Limits) -> Node:
    """The tree of a filter, or `GrammarError`."""
    if len(text) > limits.filter_length:
        raise GrammarError(f"A filter has at most {limits.filter_length} characters.")
    literals: list[Any] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(_literal(match.group()))
        return f'"{len(literals) - 1}"'

    try:
        tokens = list(_whole_names(SCIMLexer().tokenize(_LITERAL.sub(keep, text))))
        _cap(tokens, limits)
        tree = SCIMParser().parse(iter(_bind(tokens)))
    except (SCIMParserError, ValueError) as error:
        if isinstance(error, GrammarError):
            raise
        raise GrammarError("The filter does not follow the grammar of RFC 7644 §3.4.2.2.") from error
    if tree is None:
        raise GrammarError("The filter is not complete.")
    return _node(tree, literals)


def parse_path(text: str, limits: Limits) -> Name:
    """The tree of a PATCH path, or `GrammarError`."""
    node = parse(f"{text} pr", limits)
    if not isinstance(node, Term) or node.operator != "pr":
        raise GrammarError("The path is not one attribute path.")
    return node.name


def _literal(text: str) -> Any:
    value = json.loads(text)
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
        raise GrammarError("A text in the filter holds a character that no value can hold.")
    return value


def _whole_names(tokens: Iterable[Token]) -> Iterator[Token]:
    """The lexer takes `nullable` for `null` and `able`; literals are out already, so it is one name."""
    begun: Token | None = None
    for token in tokens:
        if begun is not None and token.type == "ATTRNAME" and token.index == begun.end:
            token.value, token.index = begun.value + token.value, begun.index
        elif begun is not None:
            yield begun
        begun = token if token.type in ("TRUE", "FALSE", "NULL") else None
        if begun is None:
            yield token
    if begun is not None:
        yield begun


def _cap(tokens: Sequence[Token], limits: Limits) -> None:
    if not tokens:
        raise GrammarError("The filter is empty.")
    depth = clauses = 0
    for token in tokens:
        if token.type in ("LPAREN", "LBRACKET"):
            depth += 1
            if depth > limits.filter_depth:
                raise GrammarError(f"A filter nests at most {limits.filter_depth} levels deep.")
        elif token.type in ("RPAREN", "RBRACKET"):
            depth -= 1
        elif token.type in ("AND", "OR"):
            clauses += 1
            if clauses >= limits.filter_clauses:
                raise GrammarError(f"A filter has at most {limits.filter_clauses} clauses.")
        elif token.type in ("NUMBER", "TRUE", "FALSE", "NULL"):
            raise GrammarError("A literal does not stand where the grammar allows one.")


def _bind(tokens: Sequence[Token]) -> Iterator[Token]:
    """`a or b and c` becomes `(a) or (b and c)`."""
    yield _paren("LPAREN", tokens[0])
    for token in tokens:
        if token.type == "OR":
            yield from (_paren("RPAREN", token), token, _paren("LPAREN", token))
        elif token.type in ("LPAREN", "LBRACKET"):
            yield from (token, _paren("LPAREN", token))
        elif token.type in ("RPAREN", "RBRACKET"):
            yield from (_paren("RPAREN", token), token)
        else:
            yield token
    yield _paren("RPAREN", tokens[-1])


def _paren(kind: str, like: Token) -> Token:
    token = type(like)()
    token.type, token.value = kind, "(" if kind == "LPAREN" else ")"
    token.lineno, token.index, token.end = like.lineno, like.index, like.end
    return token


def _node(tree: AST, literals: Sequence[Any]) -> Node:
    if isinstance(tree, AttrExpr):
        literal = _kept(tree.comp_value.value.strip('"'), literals) if tree.comp_value else None
        return Term(_name(tree.attr_path, literals), tree.value.lower(), literal)
    if isinstance(tree, LogExpr):
        return _junction(tree.op.lower(), (_node(tree.expr1, literals), _node(tree.expr2, literals)))
    if not isinstance(tree, Filter):
        raise GrammarError("The filter does not follow the grammar of RFC 7644 §3.4.2.2.")
    inner = _node(tree.expr, literals)
    if tree.namespace is not None:
        if tree.namespace.sub_attr is not None:
            raise GrammarError("Brackets stand after an attribute, not after a sub-attribute.")
        return Bracket(_name(tree.namespace, literals), inner)
    return Negation(inner) if tree.negated else inner


def _kept(place: str, literals: Sequence[Any]) -> Any:
    """The literal that was taken out; one that is no JSON (a tab as such) was left where it stood."""
    if not (place.isascii() and place.isdigit() and int(place) < len(literals)):
        raise GrammarError("A text in the filter is not written as JSON writes it.")
    return literals[int(place)]


def _junction(operator: str, sides: tuple[Node, Node]) -> Junction:
    terms: list[Node] = []
    for side in sides:
        same = isinstance(side, Junction) and side.operator == operator
        terms.extend(side.terms if same and isinstance(side, Junction) else (side,))
    return Junction(operator, tuple(terms))


def _name(path: AttrPath, literals: Sequence[Any]) -> Name:
    if isinstance(path.attr_name, Filter):  # emails[…] and emails[…].value
        bracket = path.attr_name
        if bracket.namespace is None or isinstance(bracket.namespace.attr_name, Filter):
            raise GrammarError("Brackets cannot follow brackets.")
        sub = bracket.namespace.sub_attr
        return Name(
            _text(bracket.namespace.uri, bracket.namespace.attr_name),
            _node(bracket.expr, literals),
            sub.value if sub else None,
        )
    text = _text(path.uri, path.attr_name)
    return Name(f"{text}.{path.sub_attr.value}" if path.sub_attr else text)


def _text(uri: str | None, name: str) -> str:
    return f"{uri}:{name}" if uri else name
