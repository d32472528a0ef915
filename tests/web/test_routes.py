"""Who may call what: every address of the app stands in the table below, and is as open as it says there."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from engine import limits
from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.segment.accept import CALLS
from engine.web.admin import Keys
from engine.web.app import App, build

# Path: who may call it, and by which methods (DESIGN 12, "Public HTTP"). A new address is added here on purpose.
WHO = {
    "/v1/decide": ("page", {"GET", "POST"}),
    "/client.js": ("page", {"GET"}),
    "/preview.js": ("page", {"GET"}),
    "/ofrep/v1/evaluate/flags": ("flags", {"POST"}),
    "/ofrep/v1/evaluate/flags/{key:path}": ("flags", {"POST"}),
    "/ofrep/v1/events": ("flags", {"GET"}),
    "/openapi.json": ("page", {"GET"}),
    "/docs": ("anybody", {"GET"}),
    "/healthz": ("anybody", {"GET"}),
    "/readyz": ("anybody", {"GET"}),
    **dict.fromkeys([f"/v1/{name}" for name in CALLS], ("source", {"POST"})),
    "/v1/m": ("source", {"POST"}),
    "/v1/webhook/{source:path}": ("source", {"POST"}),
    "/v1/projects/{key:path}/settings": ("source", {"GET"}),
    "/v1/explain": ("admin", {"GET", "POST"}),
    "/v1/traits": ("admin", {"GET"}),
    "/metrics": ("admin", {"GET"}),
    "/v1/profiles/{kind}/{id:path}": ("admin", {"GET", "DELETE"}),
}
# An address of each that there is; the others are their own.
AT = {
    "/ofrep/v1/evaluate/flags/{key:path}": "/ofrep/v1/evaluate/flags/site",
    "/v1/webhook/{source:path}": "/v1/webhook/www",
    "/v1/projects/{key:path}/settings": "/v1/projects/0/settings",
    "/v1/profiles/{kind}/{id:path}": "/v1/profiles/visitor/v1",
}
ADMIN = [path for path, (who, _) in WHO.items() if who == "admin"]
SOURCE = [path for path, (who, _) in WHO.items() if who == "source"]
FLAGS = [path for path, (who, _) in WHO.items() if who == "flags"]
OPEN = [path for path, (who, _) in WHO.items() if who != "admin"]
# The same for everybody, so browsers may keep them; a page of ours may be kept, and is asked about before it is shown.
KEPT = {"/client.js": "public", "/preview.js": "public", "/openapi.json": "public", "/docs": "no-cache"}
KEYS = ("an-old-key-0123456789", "a-new-key-0123456789")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
QUERY = b"visitorId=v1&url=https://www.example.com/"
BODY = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/"}}'
ORIGIN = ("origin", "https://www.example.com")
BEARER = ("authorization", f"Bearer {KEYS[0]}")
WRONG_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    f"Bearer {KEYS[0]}x",
    f"Bearer {KEYS[0][:-1]}",
    f"Bearer {KEYS[0].upper()}",
    f"Bearer {KEYS[0]} {KEYS[1]}",
    f"Basic {KEYS[0]}",
    f"Digest {KEYS[0]}",
    f"Bearer\t{KEYS[0]}",
    KEYS[0],
    f"Bearer {sha256(KEYS[0].encode()).hexdigest()}",
    "Bearer \xff\xfe\x80\xe9",
    "\xff" * 20,
    "Bearer " + "x" * 16_000,
]


@pytest.fixture(scope="module")
def app(node: Node, monkeypatch_module: pytest.MonkeyPatch) -> App:
    """The app with two admin keys, and one visitor."""
    node.store.apply([Change(key("visitor", "v1"), 1, {"plan": "free"})])
    return build(node, admin_keys=Keys(tuple(sha256(key.encode()).digest() for key in KEYS)))


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    """What is changed for the whole module: nobody else writes here, so a deletion need not wait for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "ERASURE_PAUSE_S", 0.0)
        yield patch


@pytest.fixture(scope="module")
def admin(app: App, calling: Callable[..., Any]) -> Any:
    """`admin(method, path, …)`: that app, called; a path may be one of the table."""
    called = calling(app)
    return lambda method, path, *rest: called(method, AT.get(path, path), *rest)


def refusal(said: Any, path: str = "") -> tuple[int, str]:
    """Status and code of an answer in the form that every error has, or that clients of Segment and OFREP read."""
    if path in FLAGS:
        assert said.headers["content-type"] == "application/json"
        assert type(said.json["errorDetails"]) is str
        assert said.json.get("key") == ("site" if "{" in path else None)
        return said.status, {"GENERAL": "method-not-allowed"}.get(said.json["errorCode"], said.json["errorCode"])
    if path in SOURCE:
        assert said.headers["content-type"] == "application/json"
        assert said.json["success"] is False
        assert type(said.json["message"]) is str
    else:
        assert said.headers["content-type"] == "application/problem+json"
        assert said.json["status"] == said.status
    return said.status, said.json["code"]


def shared(said: Any) -> set[str]:
    """Headers that tell a browser that a script of another website may read the answer."""
    return {name for name in said.headers if name.startswith("access-control-")}


def test_every_address_stands_in_the_table(app: App) -> None:
    """By its path, its methods and who may call it; the routes are those of the doors and no others."""
    assert {door.address.path: (door.address.who, set(door.address.methods)) for door in app.doors} == WHO
    assert [route.app for route in app.routes] == list(app.doors)
    assert {route.path for route in app.routes} == WHO.keys()


def test_without_keys_only_addresses_for_admins_are_missing(node: Node) -> None:
    """The others are all there."""
    assert {door.address.path for door in build(node).doors} == set(OPEN)


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("method", METHODS)
def test_without_keys_admin_addresses_do_not_exist(call: Any, path: str, method: str) -> None:
    """Nothing tells them from an address that there never was, whatever is shown."""
    for headers in ([], [BEARER], [BEARER, ORIGIN, ("sec-fetch-site", "cross-site")]):
        there, nowhere = (call(method, p, [BODY], headers, QUERY) for p in (AT.get(path, path), "/v1/nothing"))
        assert (there.status, there.headers, there.body) == (nowhere.status, nowhere.headers, nowhere.body)
        assert there.status == 404


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shown", WRONG_KEYS)
def test_without_the_right_key_nobody_comes_in(admin: Any, path: str, method: str, shown: str) -> None:
    """401 for every method, before anything else of the request is looked at."""
    said = admin(method, path, [b"\xff" * 20_000], [("authorization", shown)] if shown else [], b"%ff")
    assert said.status == 401
    assert method == "HEAD" or refusal(said) == (401, "unauthorized")
    assert said.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("shown", [*(f"Bearer {key}" for key in KEYS), f"bearer {KEYS[0]}", f"BEARER   {KEYS[1]} "])
def test_either_key_opens(admin: Any, path: str, shown: str) -> None:
    """The old and the new one, while clients change over; the scheme in any case."""
    for method in WHO[path][1]:
        assert admin(method, path, [BODY], [("authorization", shown)], QUERY).status == 200


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("method", METHODS)
def test_no_other_website_gets_anything_of_an_admin_address(admin: Any, path: str, method: str) -> None:
    """No CORS header in any answer, not even to a preflight with a key; nothing is stored on the way."""
    for headers in ([ORIGIN], [ORIGIN, BEARER], [ORIGIN, BEARER, ("access-control-request-method", "POST")]):
        said = admin(method, path, [BODY], headers, QUERY)
        assert shared(said) == set()
        assert said.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "Same-Origin", "", "same-origin, none", "\xff"])
def test_what_another_website_makes_a_browser_send_is_refused(admin: Any, path: str, site: str) -> None:
    """An unsafe method with a `Sec-Fetch-Site` that is not ours is 403, with or without a key."""
    for method in sorted(set(METHODS) - {"GET", "HEAD", "OPTIONS"}):
        for headers in ([], [BEARER]):
            said = admin(method, path, [BODY], [*headers, ("sec-fetch-site", site)], QUERY)
            assert refusal(said) == (403, "cross-site")


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_pages_and_people_are_let_in(admin: Any, path: str, site: str) -> None:
    """A console of ours, or an address that was typed."""
    for method in WHO[path][1]:
        assert admin(method, path, [BODY], [BEARER, ("sec-fetch-site", site)], QUERY).status == 200


@pytest.mark.parametrize("path", WHO)
@pytest.mark.parametrize("method", METHODS)
def test_methods_are_told(admin: Any, path: str, method: str) -> None:
    """405 with `Allow` for what is not for the address; 204 with the same `Allow` for OPTIONS."""
    said = admin(method, path, [BODY], [BEARER], QUERY)
    known = WHO[path][1] | ({"HEAD"} if "GET" in WHO[path][1] else set())
    if method in known:
        # Which ask for a key, or a body, of their own: `test_ingest.py`, `ofrep/`.
        assert said.status == 200 or path in SOURCE or path in FLAGS
        return
    assert set(said.headers["allow"].split(", ")) == known | {"OPTIONS"}
    if method == "OPTIONS":
        assert (said.status, said.body, said.headers.get("content-length")) == (204, b"", None)
    else:
        assert method == "HEAD" or refusal(said, path) == (405, "method-not-allowed")


@pytest.mark.parametrize("path", [path for path, (_, methods) in WHO.items() if "GET" in methods])
def test_head_is_get_without_the_body(admin: Any, path: str) -> None:
    """The same head, with the length that the body would have; also of a refusal."""
    for query in (QUERY, b""):
        get, head = (admin(method, path, [b""], [BEARER], query) for method in ("GET", "HEAD"))
        volatile = (
            {"content-length"} if path in {"/readyz", "/metrics", "/v1/explain", "/v1/traits"} else set()
        )  # they tell the time
        assert head.body == b""
        assert head.status == get.status
        assert head.headers.keys() == get.headers.keys()
        assert {n: v for n, v in head.headers.items() if n not in volatile} == {
            n: v for n, v in get.headers.items() if n not in volatile
        }


@pytest.mark.parametrize("path", [*WHO, "/v1/nothing", "/", "/healthz/", "/v1/explain/", "//v1/explain", "/V1/explain"])
@pytest.mark.parametrize("method", METHODS)
def test_every_answer_is_safe_to_show(admin: Any, path: str, method: str) -> None:
    """Never sniffed, nothing kept but what is the same for all, no cookie, no server, no redirect; a known error."""
    said = admin(method, path, [BODY], [ORIGIN, BEARER], QUERY)
    assert said.headers["x-content-type-options"] == "nosniff"
    kept = KEPT.get(path, "no-store") if said.status == 200 else "no-store"
    assert said.headers["cache-control"].startswith(kept)
    assert {"server", "set-cookie", "location", "access-control-allow-credentials"} & said.headers.keys() == set()
    if said.status >= 400 and method != "HEAD":
        refusal(said, path)
    if path not in WHO:
        assert said.status == 404


@pytest.mark.parametrize("path", OPEN)
def test_scripts_of_websites_read_what_is_for_pages(call: Any, path: str) -> None:
    """Also refusals and the preflight; what is for monitors they do not."""
    expected = WHO[path][0] in {"page", "source", "flags"}
    for method in METHODS:
        said = call(method, AT.get(path, path), [b"{"], [ORIGIN], QUERY)
        assert ("access-control-allow-origin" in said.headers) == expected
