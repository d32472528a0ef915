"""CEL's own words and those of other languages that people write instead. Tables; no logic beyond look-up.

1. `METHODS` and `FUNCTIONS` are everything that can be called in our environment (`scope.environment`): the
   standard library, and the extensions strings, math, optional and encoders.
2. `OTHER_FUNCTIONS` are keyed by name in small letters without `_`, `OTHER_NAMES` by name as written or in small
   letters. In their hints `traits.name` and `traits.tags` stand for whatever was asked.
3. Types read as a person would say them.
"""

METHODS = frozenset(
    (  # noqa: SIM905 - words in a row read better than forty lines
        "all charAt contains endsWith exists exists_one filter format getDate getDayOfMonth getDayOfWeek getDayOfYear "
        "getFullYear getHours getMilliseconds getMinutes getMonth getSeconds hasValue indexOf join lastIndexOf "
        "lowerAscii map matches optFlatMap optMap or orValue replace reverse size split startsWith substring trim "
        "upperAscii value"
    ).split()
)
"""Written after their value: `traits.name.startsWith("A")`."""

FUNCTIONS = frozenset(
    (  # noqa: SIM905
        "base64.decode base64.encode bool bytes cel.bind double duration dyn has int matches math.abs math.ceil "
        "math.floor math.greatest math.isFinite math.isInf math.isNaN math.least math.round math.sign math.sqrt "
        "math.trunc optional.none optional.of optional.ofNonZeroValue size string strings.quote timestamp type uint"
    ).split()
)
"""Written before their values: `size(traits.tags)`."""

_LENGTH = "write `size(traits.name)`"
_LOWER = "write `traits.name.lowerAscii()`"
_UPPER = "write `traits.name.upperAscii()`"
_CONTAINS = 'write `traits.name.contains("part")`'
_STARTS = 'write `traits.name.startsWith("part")`'
_ENDS = 'write `traits.name.endsWith("part")`'
_MATCHES = 'write `traits.name.matches("pattern")`'
_KNOWN = "whether a trait is known says `has(traits.name)`"
_NUMBER = "write `double(traits.name)` or `int(traits.name)`"
_NOW = "the time of the visit is `now`"

OTHER_FUNCTIONS = {
    "lower": _LOWER,
    "lowercase": _LOWER,
    "tolower": _LOWER,
    "tolowercase": _LOWER,
    "downcase": _LOWER,
    "casefold": _LOWER,
    "lcase": _LOWER,
    "upper": _UPPER,
    "uppercase": _UPPER,
    "toupper": _UPPER,
    "touppercase": _UPPER,
    "upcase": _UPPER,
    "ucase": _UPPER,
    "len": _LENGTH,
    "length": _LENGTH,
    "count": _LENGTH,
    "includes": _CONTAINS,
    "include": _CONTAINS,
    "contain": _CONTAINS,
    "has": _KNOWN,
    "startswith": _STARTS,
    "beginswith": _STARTS,
    "endswith": _ENDS,
    "match": _MATCHES,
    "regex": _MATCHES,
    "regexp": _MATCHES,
    "test": _MATCHES,
    "search": _MATCHES,
    "like": _CONTAINS,
    "isempty": 'write `traits.name == ""` or `size(traits.tags) == 0`',
    "empty": 'write `traits.name == ""` or `size(traits.tags) == 0`',
    "isnull": _KNOWN,
    "isnone": _KNOWN,
    "isset": _KNOWN,
    "isdefined": _KNOWN,
    "defined": _KNOWN,
    "exists": f'{_KNOWN}; for a list write `traits.tags.exists(t, t == "a")`',
    "isknown": _KNOWN,
    "not": "write `!(…)`",
    "and": "write `a && b`",
    "or": "write `a || b`",
    "if": "write `condition ? this : that`",
    "iif": "write `condition ? this : that`",
    "strip": "write `traits.name.trim()`",
    "substr": "write `traits.name.substring(0, 3)`",
    "slice": "write `traits.name.substring(0, 3)`",
    "left": "write `traits.name.substring(0, 3)`",
    "concat": "write `a + b`",
    "any": 'write `traits.tags.exists(t, t == "a")`',
    "some": 'write `traits.tags.exists(t, t == "a")`',
    "every": 'write `traits.tags.all(t, t != "a")`',
    "in": 'write `traits.plan in ["free", "pro"]`',
    "oneof": 'write `traits.plan in ["free", "pro"]`',
    "isin": 'write `traits.plan in ["free", "pro"]`',
    "equals": "write `==`",
    "eq": "write `==`",
    "number": _NUMBER,
    "float": _NUMBER,
    "parseint": _NUMBER,
    "parsefloat": _NUMBER,
    "tonumber": _NUMBER,
    "integer": _NUMBER,
    "str": "write `string(…)`",
    "tostring": "write `string(…)`",
    "boolean": "write `bool(…)`",
    "typeof": "write `type(…)`",
    "now": f"{_NOW}, without parentheses",
    "today": _NOW,
    "date": 'write `timestamp("2026-01-31T00:00:00Z")`',
    "datetime": 'write `timestamp("2026-01-31T00:00:00Z")`',
    "todate": 'write `timestamp("2026-01-31T00:00:00Z")`',
    "days": 'a day is `duration("24h")`',
    "hours": 'write `duration("2h")`',
    "year": "write `now.getFullYear()`",
    "getyear": "write `now.getFullYear()`",
    "month": "write `now.getMonth()`; January is 0",
    "hour": "write `now.getHours()`",
    "dayofweek": "write `now.getDayOfWeek()`; Sunday is 0",
    "weekday": "write `now.getDayOfWeek()`; Sunday is 0",
    "min": "write `math.least(a, b)`",
    "max": "write `math.greatest(a, b)`",
    "abs": "write `math.abs(…)`",
    "round": "write `math.round(…)`",
    "floor": "write `math.floor(…)`",
    "ceil": "write `math.ceil(…)`",
    "coalesce": 'write `traits.?name.orValue("else")`',
    "default": 'write `traits.?name.orValue("else")`',
    "ifnull": 'write `traits.?name.orValue("else")`',
    "get": 'write `traits.?name.orValue("else")`',
}

_NULL = "what is not known is absent: write `!has(traits.name)`"

OTHER_NAMES = {
    "True": "write `true`, in small letters",
    "TRUE": "write `true`, in small letters",
    "yes": "write `true`",
    "False": "write `false`, in small letters",
    "FALSE": "write `false`, in small letters",
    "no": "write `false`",
    "Null": _NULL,
    "NULL": _NULL,
    "none": _NULL,
    "nil": _NULL,
    "undefined": _NULL,
    "today": _NOW,
    "time": _NOW,
    "user": "what Segment says of a person is `traits`",
    "person": "what Segment says of a person is `traits`",
    "visitor": "what Segment says of a person is `traits`",
    "identify": "what Segment says of a person is `traits`",
    "group": "traits of a company are `account`",
    "company": "traits of a company are `account`; the trait of a person is `traits.company`",
    "contact": "write `salesforce.contact`",
    "lead": "write `salesforce.lead`",
    "url": "write `page.url`",
    "path": "write `page.path`",
    "host": "write `page.host`",
    "query": "write `page.query`",
    "referrer": "write `page.referrer`",
    "referer": "write `page.referrer`",
    "title": "write `page.title`, or `traits.title`",
    "country": "write `geo.country`, or `traits.country`",
    "region": "write `geo.region`, or `traits.region`",
    "city": "write `geo.city`, or `traits.city`",
    "language": "write `device.language`",
    "event": "the properties of the event are `properties`",
}

_OPERATORS = {
    "_==_": "==",
    "_!=_": "!=",
    "_<_": "<",
    "_<=_": "<=",
    "_>_": ">",
    "_>=_": ">=",
    "_+_": "+",
    "_-_": "-",
    "_*_": "*",
    "_/_": "/",
    "_%_": "%",
    "-_": "-",
    "!_": "!",
    "_&&_": "&&",
    "_||_": "||",
    "_?_:_": "?",
    "@in": "in",
    "_[_]": "[",
    "_[?_]": "[?",
    "_?._": ".?",
}

_TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "uint": "a whole number (uint)",
    "double": "a number with a fraction",
    "string": "a text",
    "bytes": "bytes",
    "dyn": "a value of any type",
    "null": "null",
    "null_type": "null",
    "google.protobuf.Timestamp": "a moment",
    "timestamp": "a moment",
    "google.protobuf.Duration": "a duration",
    "duration": "a duration",
}


_SEVERAL = {"string": "texts", "int": "whole numbers", "double": "numbers with a fraction", "bool": "true or false"}


def operator(function: str) -> str:
    """The sign of an operator's function, or nothing for a function that has a name."""
    return _OPERATORS.get(function, "")


def type_in_words(type_: str) -> str:
    """A CEL type as a person would say it."""
    if type_ in _TYPES:
        return _TYPES[type_]
    kind, _, inner = type_.partition("(")
    if kind == "list" and inner.removesuffix(")") in _SEVERAL:
        return f"a list of {_SEVERAL[inner.removesuffix(')')]}"
    return {"list": "a list", "map": "a map", "type": "a type", "optional_type": "an optional value"}.get(kind, type_)
