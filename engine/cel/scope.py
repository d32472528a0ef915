"""The names that conditions may use, with their CEL types (DESIGN section 3).

What lives here: the scopes, the known fields of the closed roots, and the reference implementation's
environment for a scope. What may not: values, defaults, anything about rule files.

1. A `Scope` maps root names to CEL type text. Every root but `now` is a `map(string, dyn)`: what is in it is
   known only when a visitor comes, so the checker cannot and need not know more.
2. *Closed* roots have a known, complete set of fields (`FIELDS`); a condition that asks for another one is
   wrong, and `parse` says so. `traits`, `account`, `properties` and the two Salesforce records are open.
3. One environment per scope, made once: the standard library with macros, and the extensions below.
"""

from functools import cache

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings
from msgspec import Struct

OPEN_MAP = "map(string, dyn)"
TIMESTAMP = "google.protobuf.Timestamp"

ROOTS = ("traits", "account", "salesforce", "page", "visit", "device", "geo", "now")
"""The positional order of a generated function's arguments."""

FIELDS: dict[str, dict[str, str]] = {
    "salesforce": {"lead": OPEN_MAP, "contact": OPEN_MAP},
    "page": {
        "url": "string",
        "host": "string",
        "path": "string",
        "query": "map(string, string)",
        "referrer": "string",
        "title": "string",
    },
    "visit": {"count": "int", "first_seen": TIMESTAMP, "new": "bool"},
    "device": {"type": "string", "language": "string"},
    "geo": {"country": "string", "region": "string", "city": "string"},
}
"""The closed roots: every field there is, with the CEL type of its value where it is present."""


class Scope(Struct, frozen=True):
    """Root names with their types, in order; `container` is CEL's own name-resolution prefix (conformance only)."""

    names: tuple[tuple[str, str], ...]
    container: str = ""


VISIT = Scope(names=tuple((root, TIMESTAMP if root == "now" else OPEN_MAP) for root in ROOTS))
"""What a segment's condition sees."""

CONVERSION = Scope(names=(("properties", OPEN_MAP),))
"""What a goal's condition sees: the properties of the event."""


@cache
def environment(scope: Scope) -> cel.Env:
    """The reference implementation's environment for a scope; made once, since making one takes a millisecond."""
    return cel.NewEnv(
        # The reference implementation writes type parameters in angle brackets.
        variables={name: cel.Type(type_.replace("(", "<").replace(")", ">")) for name, type_ in scope.names},
        container=scope.container or None,
        extensions=[
            ext_strings.ExtStrings(),
            ext_optional.ExtOptional(),
            ext_math.ExtMath(),
            ext_encoders.ExtEncoders(),
            ext_bindings.ExtBindings(),
        ],
    )
