class AST: ...

class Filter(AST):
    expr: AST
    negated: bool
    namespace: AttrPath | None

class LogExpr(AST):
    op: str
    expr1: Filter
    expr2: Filter

class SubAttr(AST):
    value: str

class AttrPath(AST):
    attr_name: str | Filter
    sub_attr: SubAttr | None
    uri: str | None

class CompValue(AST):
    value: str

class AttrExpr(AST):
    value: str
    attr_path: AttrPath
    comp_value: CompValue | None
