"""How the log is printed: every entry one object, every sentence whole, and no message of somebody else's exception."""

import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest

from engine.profiles.store import StoreDamaged
from engine.web.logs import FIELDS, log_config

LOG = logging.getLogger("mutiny_edge.web")


class _Terminal(StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StringIO]]:
    """`printed("json")`: the log, printed in that form from now on; afterwards all is as before."""
    before = {name: logging.getLogger(name) for name in ("", "mutiny_edge", "uvicorn", "uvicorn.access")}
    kept = {name: (one.handlers[:], one.level, one.propagate) for name, one in before.items()}

    def printed(form: str, level: str = "info", *, several: bool = False, terminal: bool = False) -> StringIO:
        stream = _Terminal() if terminal else StringIO()
        monkeypatch.setattr("sys.stderr", stream)
        logging.config.dictConfig(log_config(form, level, several=several, access=False))
        return stream

    yield printed
    for name, one in before.items():
        one.handlers[:], one.level, one.propagate = kept[name]
        one.setLevel(kept[name][1])


def entries(stream: StringIO) -> list[dict[str, Any]]:
    """Each line of it, read."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_entry_is_one_line_of_json(printed: Callable[..., StringIO]) -> None:
    """With the whole sentence, known fields, and nothing that anybody else put beside it."""
    stream = printed("json")
    LOG.warning("refused:\n%s \u00fcber", "bad-json 3", extra={"refused": {"bad-json": 3}, "color_message": "x"})
    logging.getLogger("uvicorn.error").error("a fault of uvicorn's")
    ours, theirs = entries(stream)
    assert ours.pop("timestamp").endswith("Z")
    assert ours.pop("process") > 0
    assert ours == {
        "level": "warning",
        "logger": "mutiny_edge.web",
        "event": "refused:\nbad-json 3 \u00fcber",
        "refused": {"bad-json": 3},
    }
    assert (theirs["event"], theirs["logger"]) == ("a fault of uvicorn's", "uvicorn.error")


def test_no_field_covers_what_every_record_has() -> None:
    """`logging` refuses such names when they are used, which may be never in a test."""
    assert not set(FIELDS) & logging.makeLogRecord({}).__dict__.keys()
    assert not set(FIELDS) & {"message", "asctime", "timestamp", "level", "event", "logger", "process"}


def test_people_read_a_sentence(printed: Callable[..., StringIO]) -> None:
    """Time, level, sentence; where several processes print, the number of the one that does."""
    stream = printed("text", several=True)
    LOG.info("serving %s", "http://127.0.0.1:1", extra={"url": "http://127.0.0.1:1"})
    [line] = stream.getvalue().splitlines()
    time, level, number, *sentence = line.split()
    assert (time[-1], level, number[0], sentence) == ("Z", "[info]", "[", ["serving", "http://127.0.0.1:1"])


@pytest.mark.parametrize(
    ("no_color", "term", "coloured"),
    [(None, "xterm", True), ("", "xterm", True), ("1", "xterm", False), (None, "dumb", False)],
)
def test_colours_are_for_a_terminal_without_no_color(
    printed: Callable[..., StringIO], monkeypatch: pytest.MonkeyPatch, no_color: str | None, term: str, coloured: bool
) -> None:
    """As https://no-color.org has it: present, and not empty; and where it knows some. The words are the same."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", term)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    stream = printed("auto", terminal=True)
    LOG.info("serving")
    assert ("\x1b[" in stream.getvalue()) is coloured
    assert "serving" in stream.getvalue()


def test_only_what_is_asked_for_is_told(printed: Callable[..., StringIO]) -> None:
    """By `--log-level`; others' libraries only warn."""
    stream = printed("json", "error")
    LOG.warning("no")
    logging.getLogger("elsewhere").info("no")
    LOG.error("yes")
    assert [entry["event"] for entry in entries(stream)] == ["yes"]
    stream = printed("auto", "debug")
    LOG.debug("yes")
    logging.getLogger("elsewhere").info("no")
    assert [entry["event"] for entry in entries(stream)] == ["yes"]


def test_a_traceback_says_where_and_not_what(printed: Callable[..., StringIO]) -> None:
    """The message of a strange exception may hold a visitor's value; the lines of code do not."""
    stream = printed("json")
    try:
        try:
            int("ada@example.com")
        except ValueError as error:
            raise StoreDamaged("data/profiles: 3 pages are missing") from error
    except StoreDamaged:
        LOG.exception("looking failed")
    [entry] = entries(stream)
    assert "ada@" not in json.dumps(entry).replace('int(\\"ada@example.com\\")', "")
    assert "ValueError: its message is left out" in entry["exception"]
    assert entry["exception"].endswith("StoreDamaged: data/profiles: 3 pages are missing")
    assert "test_logs.py" in entry["exception"]
