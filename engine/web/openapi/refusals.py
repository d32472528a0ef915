"""How requests are refused, as OpenAPI says it: the codes of each address, by status.

What lives here: which codes any request can meet, and the responses made of codes. What may not: what a code means
(`engine.web.refusal`), which codes an address has for itself.

1. The status, the title and the form of a refusal come from `engine.web.refusal`; here they are only sorted.
2. A response of a status that any request can meet, and of nothing else, is said once and referred to.
3. A refusal that passes says when to come again (`Retry-After`); one of an admin's address, how to show who one is.
4. `x-codes` lists the codes of a response for programs; OpenAPI has no word for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, get_args

import msgspec
from msgspec import Struct

from engine.web.door import FORMS, Who
from engine.web.openapi.operation import Json, Method, ref
from engine.web.openapi.schemas import Over
from engine.web.openapi.shapes import FlagRefusal, Problem, SegmentRefusal
from engine.web.refusal import CODES, MEDIA_TYPE, Form, Refused

RESPONSES: Final = "#/components/responses/"
# What a connection is told before any address has seen the request (`guard.py`), and what a fault of ours looks like.
ANY_REQUEST: Final = ("not-http", "request-timeout", "url-too-long", "too-many-requests", "headers-too-large")
FAULT: Final = "internal-error"
WITH_BODY: Final = ("bad-length", "body-too-large")
ADMIN: Final = ("unauthorized",)
ADMIN_UNSAFE: Final = ("cross-site",)
SHAPES: Final[Mapping[Form, type[Struct]]] = {"problem": Problem, "segment": SegmentRefusal, "ofrep": FlagRefusal}
_OF: Final[Mapping[Form, str]] = {"problem": "", "segment": "Segment", "ofrep": "OpenFeature"}
_COME_AGAIN: Final = frozenset({429, 500, 503})
_RETRY_AFTER: Final[Json] = {
    "description": "Seconds until it is worth trying again.",
    "schema": {"type": "integer", "minimum": 1},
}
_AUTHENTICATE: Final[Json] = {"description": "How to show who one is.", "schema": {"const": "Bearer"}}


def form_of(who: Who) -> Form:
    """The form in which clients of such an address read refusals."""
    return FORMS.get(who, "problem")


def shared_codes(who: Who, method: Method, *, has_body: bool) -> tuple[str, ...]:
    """The codes that every operation of this kind has."""
    admin = (*ADMIN, *(() if method == "GET" else ADMIN_UNSAFE)) if who == "admin" else ()
    return (*ANY_REQUEST, FAULT, *(WITH_BODY if has_body else ()), *admin)


def responses(codes: Iterable[str], who: Who) -> dict[str, Json]:
    """The responses of an operation that refuses for these reasons, by status."""
    form = form_of(who)
    found = _by_status(codes, form)
    shared = _by_status((*ANY_REQUEST, FAULT), form)
    return {
        str(status): {"$ref": RESPONSES + _name(status, form)}
        if shared.get(status) == names
        else _response(status, names, form, is_admin=who == "admin")
        for status, names in sorted(found.items())
    }


def components() -> dict[str, Json]:
    """The responses that are said once."""
    return {
        _name(status, form): _response(status, names, form)
        for form in get_args(Form)
        for status, names in sorted(_by_status((*ANY_REQUEST, FAULT), form).items())
    }


def over() -> dict[str, Over]:
    """What the structs of refusals cannot say: every code that there is."""
    found = {}
    for form, shape in SHAPES.items():
        member = "errorCode" if form == "ofrep" else "code"
        codes = sorted({shown(code, form) for code in CODES})
        found[shape.__name__] = Over(properties={member: {"enum": codes}})
    return found


def _by_status(codes: Iterable[str], form: Form) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for code in sorted(set(codes)):
        found[Refused(code, "").status_in(form)].append(code)
    return dict(found)


def _name(status: int, form: Form) -> str:
    """`RequestTimeout`, `SegmentRequestTimeout`."""
    return _OF[form] + "".join(word.capitalize() for word in HTTPStatus(status).phrase.replace("-", " ").split())


def shown(code: str, form: Form) -> str:
    """The code that a client of this form sees."""
    said: dict[str, str] = msgspec.json.decode(Refused(code, "").body(form))
    return said.get("code") or said["errorCode"]


def _response(status: int, names: list[str], form: Form, *, is_admin: bool = False) -> Json:
    lines = sorted(f"- `{shown(name, form)}`: {CODES[name][1]}" for name in names)
    codes = sorted({shown(name, form) for name in names})
    said: Json = {"description": "\n".join([f"{HTTPStatus(status).phrase}.", "", *lines]), "x-codes": codes}
    headers = {"Retry-After": _RETRY_AFTER} if status in _COME_AGAIN else {}
    if is_admin and status == 401:
        headers["WWW-Authenticate"] = _AUTHENTICATE
    if headers:
        said["headers"] = headers
    return {**said, "content": {MEDIA_TYPE[form].decode(): {"schema": ref(SHAPES[form])}}}
