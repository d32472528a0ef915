"""What schemathesis has to be told about this service: how to sign, what a browser sends, what no schema can say.

1. `text/plain` holds JSON: that is how browsers send it without a preflight.
2. A webhook is signed over the bytes of its body, so its signature is made when these are known. Where schemathesis
   takes the signature away, or makes one up, none is made: it must be refused then.
3. What a format can be is here: URLs of pages, the token of a real preview link.
4. Two checks more: a refusal's code is one of those that are described for this address, and an answer holds no member
   that is not described.
5. `filter_failure` holds every exception, each with its reason. There is none for a status of 500 and more.
"""

import hmac
import json
import os
from typing import Any

import schemathesis
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.checks import CheckContext
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

from engine import limits
from engine.web.ingest import INGEST

SIGNATURE = "X-Signature"
TO_BE_SIGNED = "to-be-signed"  # as schemathesis.toml says it
WEBHOOK = "/v1/webhook/{source}"
PROFILE = "/v1/profiles/{kind}/{id}"
MESSAGES = frozenset({*INGEST, WEBHOOK})
ALIKE = (
    *(path for path, call in INGEST.items() if path != f"/v1/{call}" or call in {"page", "screen", "alias", "import"}),
    *("/v1/explain", "/ofrep/v1/evaluate/flags", PROFILE),
)
TWICE = frozenset({"page", "visit", "device", "page.url", "page.referrer"})
SECRET = os.environ["SECRET"]

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
schemes = st.sampled_from(["http", "https", "HTTPS"])
schemathesis.openapi.format("uri", st.builds("{}://{}.example.com/{}?{}=%20#{}".format, schemes, *[words] * 4))
schemathesis.openapi.format("preview-token", st.just(os.environ["PREVIEW_TOKEN"]))


class Signed(AuthBase):
    """Signs as Segment does."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        request.headers[SIGNATURE] = hmac.new(SECRET.encode(), raw.strip(b" \t\r\n"), "sha1").hexdigest()
        return request


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """In the short form each thing once: of the addresses that read the same, one; no text that is JSON beside JSON; of
    the types of messages in a batch, one; and nothing about people, for each deletion takes a second.
    """
    if os.environ.get("FORM") != "short":
        return
    for path in ALIKE:
        del raw_schema["paths"][path]
    schemas = raw_schema["components"]["schemas"]
    del schemas["SegmentMessage"]["oneOf"][1:]
    del schemas["SegmentDelivery"]["oneOf"][1:]
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            operation.get("requestBody", {}).get("content", {}).pop("text/plain", None)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Sign what is to be signed."""
    if (case.headers or {}).get(SIGNATURE) == TO_BE_SIGNED:
        kwargs["auth"] = Signed()


@schemathesis.serializer("text/plain")
def as_json(context: Any, value: Any) -> bytes:
    """As a browser sends it."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.deserializer("text/html", "text/javascript", "application/openmetrics-text")
def as_text(context: Any, response: Any) -> str:
    """As it is."""
    text: str = response.content.decode()
    return text


@schemathesis.check
def code_is_described(ctx: CheckContext, response: Any, case: Any) -> bool | None:
    """The code of a refusal is one of those that are described for this address and status."""
    described = case.operation.responses.find_by_status_code(response.status_code)
    codes = described.definition.get("x-codes") if described is not None else None
    if codes:
        said = json.loads(response.content or b"{}")
        code = said.get("code") or said.get("errorCode")
        assert code in codes, f"{code} is none of {codes}"
    return None


# Requests that a schema takes, and the service refuses: by what it says of them.
NO_SCHEMA_CAN_SAY = (
    f"longer than {limits.ID_BYTES} bytes",  # a schema counts characters
    "bad-preview",  # what was signed here
)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Does it count? Every reason why not."""
    if isinstance(failure, RejectedPositiveData):
        said = response.content.decode(errors="replace")
        # What an id may be depends on its kind, and both are parameters of their own.
        is_other_kind = case.operation.path == PROFILE and '"bad-id"' in said
        return not (is_other_kind or any(reason in said for reason in NO_SCHEMA_CAN_SAY))
    if isinstance(failure, AcceptedNegativeData):
        spoilt = case.meta.phase.data.description or ""
        # Whoever signs needs no key.
        if case.operation.path == WEBHOOK and "writeKey" in spoilt:
            return False
        # Of what is said twice, only that is looked at which counts: a message's own traits and group, and not those in
        # its context; a context's `page.url`, and neither `url` nor its page's.
        is_in_context = "context -> " in spoilt or "/properties/context/" in spoilt
        return not (is_in_context and (case.operation.path in MESSAGES or TWICE & case.body["context"].keys()))
    return True
