class Token:
    type: str
    value: str
    lineno: int
    index: int
    end: int
