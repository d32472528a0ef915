"""Law: no trait, id or address of a visitor stands in the log, whatever comes and whatever fails.

1. Every value that is sent is marked. It goes by every road that takes values: page views, messages, webhooks, flags,
   admins' questions, previews; whole, broken, too large; with a store and a log that can be used and with ones that
   cannot, and with faults of ours in the middle of it.
2. The log is printed at its loudest, in both forms. Then it is searched for the mark, and for what it becomes in
   Base64 and percent-encoded.
"""

import json
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from engine.segment.sources import Sources

MARK = "M4RKED"
ID, EMAIL, TRAIT = f"id-{MARK}", f"{MARK}@example.com", f"Trait {MARK}"
KEY = "an-admin-key-of-some-length"
TRAITS = {"email": EMAIL, "company": TRAIT, "employees": TRAIT, "address": {"street": TRAIT}, MARK: 1}
PAGE = {"url": f"https://www.example.com/{MARK}?q={MARK}", "title": TRAIT, "referrer": f"https://a/{MARK}"}
ASKED = {"visitorId": ID, "page": PAGE, "visit": {"count": 1}, "traits": TRAITS}
# A fault in the middle of a decision and of taking a message, whose own message holds what was in hand.
FAULTY = """
import sys
from engine.decide.decider import Decider
from engine.segment import identity

def fail(*what):
    raise RuntimeError(f"no such thing: {what!r}")

Decider.decide_on = lambda self, view, profile, *_, **__: fail(profile)
import engine.intake
engine.intake.encode = lambda *what: fail(what)
from engine.cli.main import main
main()
"""


def requests(write_key: str) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Method, path, body, headers."""
    basic = {"authorization": "Basic " + b64encode(f"{write_key}:".encode()).decode()}
    admin = {"authorization": f"Bearer {KEY}"}
    message = {"userId": ID, "anonymousId": ID, "traits": TRAITS, "context": {"page": PAGE, "ip": MARK}}
    track = {"event": f"Event {MARK}", "properties": TRAITS, "userId": ID, "timestamp": MARK}
    no_id = {**ASKED, "visitorId": f"{MARK} not an id"}
    for said in (ASKED, {**ASKED, "traits": MARK}, no_id, {**ASKED, "preview": MARK}):
        yield "POST", "/v1/decide", json.dumps(said).encode(), {}
    for body in (f'{{"visitorId": "{MARK}', f'{{"traits": {{"a": {"[" * 2000}"{MARK}"', MARK * 10_000):
        yield "POST", "/v1/decide", body.encode(), {}
        yield "POST", "/v1/batch", body.encode(), basic
    yield "GET", f"/v1/decide?visitorId={ID}&url=https://www.example.com/{MARK}", b"", {}
    yield "GET", f"/{MARK}?email={EMAIL}", b"", {"cookie": MARK, "x-forwarded-for": MARK}
    alias = {"type": "alias", "userId": ID}
    for one in ({"type": "identify", **message}, {"type": "track", **track}, {"type": MARK}, alias):
        yield "POST", "/v1/batch", json.dumps({"batch": [one]}).encode(), basic
    unknown = {"authorization": "Basic " + b64encode(MARK.encode()).decode()}
    yield "POST", "/v1/identify", json.dumps(message).encode(), unknown
    yield "POST", "/v1/identify", json.dumps(message).encode(), basic | {"content-encoding": "gzip"}
    yield "POST", f"/v1/webhook/{MARK}", json.dumps(track).encode(), {"x-signature": MARK}
    yield "POST", "/ofrep/v1/evaluate/flags", json.dumps({"context": {"targetingKey": ID, **TRAITS}}).encode(), {}
    yield "POST", f"/ofrep/v1/evaluate/flags/{MARK}", json.dumps({"context": {"targetingKey": ID}}).encode(), {}
    yield "POST", "/v1/explain", json.dumps(ASKED).encode(), admin
    yield "GET", f"/v1/profiles/user/{ID}", b"", admin
    yield "DELETE", f"/v1/profiles/user/{ID}", b"", admin
    yield "GET", f"/v1/profiles/{MARK}/{ID}", b"", {"authorization": f"Bearer {MARK}"}


def ask_all(service: Any, wire: Any, write_key: str) -> set[int]:
    """The statuses of the answers."""
    statuses = set()
    for method, path, body, headers in requests(write_key):
        connection = HTTPConnection(*wire.at(service.url), timeout=60)
        try:
            connection.request(method, path, body, {"content-type": "application/json"} | headers)
            statuses.add(connection.getresponse().status)
        except (HTTPException, OSError):
            pass  # a refusal may end a connection while the rest of its body is on the way
        finally:
            connection.close()
    return statuses


@pytest.mark.parametrize("form", ["json", pytest.param("text", marks=pytest.mark.long)])
def test_nothing_of_a_visitor_is_logged(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, form: str
) -> None:
    """In working order, without a place to write to, and with faults of ours."""
    keys = tmp_path / "keys"
    keys.write_text(KEY)
    keys.chmod(0o600)
    write_key = Sources(tmp_path / "data").add("www", "website")
    options = ("--drain", "0", "--admin-key-file", str(keys), "--log-format", form, "--log-level", "debug")
    service = serve(rules, *options).up()
    statuses = ask_all(service, wire, write_key)
    assert {200, 400, 401, 404} <= statuses
    shutil.rmtree(tmp_path / "data" / "events", ignore_errors=True)
    (tmp_path / "data" / "events").write_text("no folder")
    ask_all(service, wire, write_key)
    assert service.end() == 0
    (tmp_path / "data" / "events").unlink()
    faulty = serve(rules, *options, program=FAULTY).up()
    assert 500 in ask_all(faulty, wire, write_key)
    assert faulty.end() == 0
    log = "\n".join((*service.log, *faulty.log))
    assert "RuntimeError: its message is left out" in log
    for written in (MARK, b64encode(MARK.encode()).decode().rstrip("=")[:-1]):
        assert written not in log, next(line for line in log.splitlines() if written in line)
