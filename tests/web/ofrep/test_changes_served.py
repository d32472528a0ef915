"""The stream of changes of a running service: of several workers, and while the clock goes on."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.request import Request

import jsonschema

ALL = "/ofrep/v1/evaluate/flags"
CONTEXT = {"context": {"targetingKey": "v1", "url": "https://www.example.com/", "employees": 12}}


@contextmanager
def opened(url: str, path: str) -> Iterator[HTTPResponse]:
    """A stream of the service."""
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=60)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as stream:
            yield stream


def next_event(stream: HTTPResponse) -> dict[str, Any]:
    """The data of the next event."""
    lines = []
    while lines.count(b":\n") < 3:  # a minute of silence
        lines.append(stream.readline())
        assert lines[-1], "the stream ended"
        if lines[-1].startswith(b"data: "):
            return dict(json.loads(lines[-1].removeprefix(b"data: ")))
    raise AssertionError("nothing was told")


def all_flags(service: Any, tag: str = "", told_of: str = "") -> Any:
    """All flags, asked as after an event."""
    headers = {"content-type": "application/json"} | ({"if-none-match": tag} if tag else {})
    query = f"?flagConfigEtag={told_of}" if told_of else ""
    return service.ask(Request(service.url + ALL + query, json.dumps(CONTEXT).encode(), headers))


def test_of_two_workers_none_answers_with_the_rules_before(
    serve: Callable[..., Any], rules: Path, edited: Callable[[int], None], shapes: Any
) -> None:
    """What one of them tells of, every one has once it is asked; SIGTERM ends streams like every other answer."""
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    first = all_flags(service)
    tag = first.headers["etag"]
    with opened(service.url, first.json["eventStreams"][0]["endpoint"]["requestUri"]) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert all_flags(service, tag).status == 304
        edited(2)
        event = next_event(stream)
        jsonschema.validate(event, shapes.EVENT)
        answers = [all_flags(service, tag, event["etag"]) for _ in range(12)]
        assert {(answer.status, answer.json["metadata"]["version"]) for answer in answers} == {(200, event["etag"])}
        service.process.send_signal(signal.SIGTERM)
        assert stream.read().strip(b":\n") == b""  # to its end: http.client raises where a chunk is missing
    assert service.ended() == 0


def test_a_page_sees_what_begins_without_other_rules(
    serve: Callable[..., Any], rules: Path, dated: Callable[..., None]
) -> None:
    """Told at the date, it asks anew and gets another answer by the same rules."""
    now = datetime.now(UTC)  # noqa: TID251 - the service has no other clock
    dated(*(now + timedelta(seconds=2 * number) for number in range(1, 30)))
    service = serve(rules).up()
    before = all_flags(service)
    with opened(service.url, before.json["eventStreams"][0]["endpoint"]["requestUri"]) as stream:
        event = next_event(stream)
        while (after := all_flags(service, before.headers["etag"], event["etag"])).status == 304:
            event = next_event(stream)  # the first may be of a date before the answer
    assert (after.status, event["etag"]) == (200, before.json["metadata"]["version"])
    assert len(after.json["flags"]) > len(before.json["flags"])
