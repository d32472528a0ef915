"""Who is meant by a deletion, when, and what stays of a message. The law stands in `test_forgetting.py`."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.profiles.store import Store
from engine.segment.deletion import Names, deleted, left_over, moment, people
from engine.segment.message import understood

NOW_MS = 1_764_072_000_000
ANN, BOB = key("user", "ann"), key("user", "bob")
LAPTOP, PHONE, KIOSK = key("anonymous", "laptop"), key("anonymous", "phone"), key("anonymous", "kiosk")
V1, V2, V3 = key("visitor", "v1"), key("visitor", "v2"), key("visitor", "v3")
OWN1, OWN2, OWN3 = key("anonymous", "v1"), key("anonymous", "v2"), key("anonymous", "v3")  # as they are sent at first
TIMES = {"messageId": "m1", "timestamp": "2025-11-25T11:00:00.000Z", "receivedAt": "2025-11-25T11:00:01.000Z"}


@pytest.fixture
def store(memory: Callable[[], Store]) -> Store:
    """Ann has a laptop and a phone; on the kiosk she was before Bob. The visitors are their browsers."""
    made = memory()
    made.apply(
        [
            Change(LAPTOP, 1, {"utm": "x"}, {"user": "ann"}),
            Change(PHONE, 2, links={"user": "ann"}),
            Change(KIOSK, 3, links={"user": "ann"}),
            Change(KIOSK, 4, links={"user": "bob"}),
            Change(V1, 1, links={"anonymous": "laptop"}),
            Change(V2, 5, links={"user": "ann", "anonymous": "kiosk"}),
            Change(V2, 6, links={"user": "ann"}),
            Change(V3, 7, links={"anonymous": "kiosk"}),
            Change(ANN, 9, {"plan": "pro"}, {"group": "acme"}),
        ]
    )
    return made


@pytest.mark.parametrize("first", [ANN, LAPTOP, PHONE, V1, V2])
def test_a_person_is_all_that_leads_to_them(store: Store, first: Key) -> None:
    """Whichever of their identities is named; not the device that is somebody else's by now, nor the account."""
    assert people(store, [first]) == [{ANN, LAPTOP, PHONE, V1, V2, OWN1, OWN2}]


def test_a_device_belongs_to_who_was_there_last(store: Store) -> None:
    """Of Bob hardly anything is known, and that is his."""
    assert people(store, [V3, KIOSK, BOB]) == [{BOB, KIOSK, V3, OWN3}] * 3


def test_of_whom_nothing_is_known_nobody_else_is_meant(store: Store) -> None:
    """Only what was named; a visitor is sent under their own id, too."""
    for nobody in (key("user", "eve"), key("anonymous", "eve")):
        assert people(store, [nobody]) == [{nobody}]
    assert people(store, [key("visitor", "eve")]) == [{key("visitor", "eve"), key("anonymous", "eve")}]


def test_a_device_without_a_user_has_its_visitors(store: Store) -> None:
    """Anonymous people can be forgotten, too."""
    store.apply([Change(key("visitor", "v9"), 1, links={"anonymous": "a9"})])
    whole = {key("anonymous", "a9"), key("visitor", "v9"), key("anonymous", "v9")}
    assert people(store, [key("anonymous", "a9")]) == [whole]
    assert people(store, [key("visitor", "v9")]) == [whole]


def test_what_a_visitor_was_sent_under_before_is_theirs(store: Store) -> None:
    """Whether there is a record of it or not, and whose it was before; but not when it is somebody else's by now."""
    store.apply([Change(OWN1, 1, {"utm": "x"}), Change(OWN2, 1, links={"user": "bob"})])
    assert people(store, [ANN, BOB]) == [{ANN, LAPTOP, PHONE, V1, V2, OWN1}, {BOB, KIOSK, V3, OWN3, OWN2}]
    store.apply([Change(OWN1, 2, links={"user": "bob"}), Change(OWN2, 2, links={"user": "ann"})])
    assert people(store, [ANN, BOB]) == [{ANN, LAPTOP, PHONE, V1, V2, OWN2}, {BOB, KIOSK, V3, OWN3, OWN1}]


def test_what_a_visitor_was_sent_under_before_leads_to_nobody(store: Store) -> None:
    """Who names it alone means it alone."""
    assert people(store, [OWN1]) == [{OWN1}]


def test_a_deletion_is_not_earlier_than_what_is_stored(store: Store) -> None:
    """Now, unless a sender's clock was ahead."""
    assert moment(store, {ANN, LAPTOP, V1}, 100) == 100
    assert moment(store, {ANN, LAPTOP, V1}, 4) == 9
    assert moment(store, frozenset(), 4) == 4


def test_who_was_deleted_is_known_to_what_comes_late(store: Store) -> None:
    """Of those that a message names, and only if it is not later than the deletion."""
    message = understood({"type": "page", "userId": "ann", "anonymousId": "kiosk", **TIMES}, "website", NOW_MS)
    assert deleted(store, message) == set()
    store.apply([Change(ANN, message.time_ms, deletes=True), Change(KIOSK, message.time_ms - 1, deletes=True)])
    assert deleted(store, message) == {ANN}


def rest(gone: set[Key], **body: Any) -> dict[str, Any] | None:
    """What stays of a message, apart from times and type."""
    left = left_over({**TIMES, **body}, gone)
    if left is None:
        return None
    assert len(msgspec.json.encode(left)) <= len(msgspec.json.encode({**TIMES, **body}))
    assert {name: left[name] for name in ("type", *TIMES)} == {"type": body["type"], **TIMES}
    return {name: value for name, value in left.items() if name not in {"type", *TIMES}}


def test_a_message_of_somebody_else_stays_as_it_is() -> None:
    """The very same object, and so does what cannot be understood."""
    for body in ({"type": "page", "userId": "bob", **TIMES}, {"type": "page", "userId": 7}, {"type": "odd"}):
        assert left_over(body, {ANN, LAPTOP}) is body


def test_what_cannot_be_understood_and_names_them_goes() -> None:
    """Nobody can say whose it is."""
    assert left_over({"type": "odd", "userId": "ann"}, {ANN}) is None


def test_nothing_stays_of_a_message_of_theirs() -> None:
    """Neither values nor what they did."""
    assert rest({ANN, LAPTOP}, type="identify", userId="ann", anonymousId="laptop", traits={"plan": "pro"}) is None
    assert rest({ANN}, type="track", userId="ann", event="Signed Up", properties={"total": 5}) is None


def test_an_account_keeps_its_traits() -> None:
    """Without who sent them, and where they were."""
    body = {"type": "group", "userId": "ann", "groupId": "acme", "traits": {"seats": 5}, "context": {"ip": "::1"}}
    assert rest({ANN}, **body) == {"groupId": "acme", "traits": {"seats": 5}}


def test_a_shared_device_stays_one() -> None:
    """The link in its record stays, with the id that it names; the person's values do not."""
    body = {"type": "page", "userId": "ann", "anonymousId": "kiosk", "properties": {"url": "x"}}
    assert rest({ANN}, **body, context={"traits": {"plan": "pro"}}) == {"anonymousId": "kiosk", "userId": "ann"}
    track = {"type": "track", "event": "Signed Up", "properties": {"total": 5}, "userId": "ann", "anonymousId": "kiosk"}
    assert rest({ANN}, **track) == {"event": "Signed Up", "anonymousId": "kiosk", "userId": "ann"}


def test_a_visitor_who_stays_keeps_their_link() -> None:
    """Where it stood, and as it was sent."""
    own = {"type": "identify", "userId": "ann", "anonymousId": "kiosk", "traits": {"mutinyVisitorId": 7, "plan": "x"}}
    assert rest({ANN, KIOSK}, **own) == {"anonymousId": "kiosk", "traits": {"mutinyVisitorId": 7}}
    page = {"type": "page", "userId": "ann", "context": {"traits": {"mutinyVisitorId": "v3", "plan": "x"}}}
    assert rest({ANN}, **page) == {"userId": "ann", "context": {"traits": {"mutinyVisitorId": "v3"}}}


def test_a_person_who_stays_keeps_everything_but_the_ids_that_go() -> None:
    """A device and a browser that were somebody's who is deleted now."""
    body = {"type": "identify", "userId": "bob", "anonymousId": "laptop", "traits": {"mutinyVisitorId": "v1", "n": 1}}
    assert rest({LAPTOP, V1}, **body) == {"userId": "bob", "traits": {"n": 1}}
    assert rest({LAPTOP}, **body) == {
        "userId": "bob",
        "anonymousId": "laptop",
        "traits": {"mutinyVisitorId": "v1", "n": 1},
    }


def test_traits_that_did_not_count_do_not_begin_to() -> None:
    """Those of the context stood behind identify's own, which were but the visitor's id."""
    body = {"type": "identify", "userId": "bob", "traits": {"mutinyVisitorId": "v1"}, "context": {"traits": {"n": 1}}}
    assert rest({V1}, **body) == {"userId": "bob", "traits": {}, "context": {"traits": {}}}
    page = {"type": "page", "userId": "bob", "context": {"traits": {"mutinyVisitorId": "v1", "n": 1}}}
    assert rest({V1}, **page) == {"userId": "bob", "context": {"traits": {"n": 1}}}


def test_an_alias_keeps_both_its_names() -> None:
    """It is none with one of them alone; and nothing stays where nobody stays."""
    body = {"type": "alias", "previousId": "kiosk", "userId": "ann", "context": {"ip": "::1"}}
    assert rest({ANN}, **body) == {"previousId": "kiosk", "userId": "ann"}
    assert rest({ANN, KIOSK}, **body) is None
    assert rest({KIOSK}, **body) == {"previousId": "kiosk", "userId": "ann", "context": {"ip": "::1"}}


def test_a_deletion_stays() -> None:
    """Without it a replay would not know that what comes late is too late."""
    body = {"type": "delete", "userId": "ann", **TIMES}
    assert left_over(body, {ANN}) is body


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'{"userId":"ann"', True),
        (b'{"userId": "\\u00e9"', True),
        ('{"userId":"é\\"'.encode(), False),
        ('{"userId":"é","x"'.encode(), True),
        (b'{"userId":7}', True),
        (b'{"userId": 7, ', True),
        (b'{"userId":77}', False),
        (b'{"name":"annabel"}', False),
    ],
)
def test_ids_are_found_in_what_was_json_once(raw: bytes, found: bool) -> None:
    """As texts or numbers, escaped or not; not as parts of longer ones."""
    assert Names({ANN, key("anonymous", "é"), key("visitor", "7")}).stand_in(raw) is found
