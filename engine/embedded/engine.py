"""`Engine`: decisions inside a Python program. The public face; its docstrings are its reference.

What lives here: what a program may ask, in its words. What may not: threads, forks and stores (`guest`), a decision of
its own.

1. What a caller says goes through `question`, what is decided comes back through `answer`.
2. There is one way to decide, and three to ask: for the answer, for its JSON, and from an event loop.
3. It holds nothing that must be written, so whoever forgets `close` loses nothing.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self, Unpack

from engine.decide.wire import to_json
from engine.embedded.answer import Answer, answer
from engine.embedded.guest import Guest, News
from engine.embedded.question import View, question
from engine.embedded.visitor import Visitor, visitor
from engine.holder import RulesBroken
from engine.node import utc_now
from engine.problems import as_text
from engine.profiles.valkey.address import BadAddress
from engine.settings import Settings

_FOLDER: Final = "the path of a folder"
_ADDRESS: Final = "an address such as redis://host:6379, or None"


class Engine:
    """Decides inside your program, in microseconds, what a visitor sees; the same answers as the service's.

        from engine import Engine

        engine = Engine.open(rules="rules", data="/var/lib/mutiny-edge")

        def heading(visitor_id: str, url: str) -> str:
            answer = engine.decide(visitor_id, url=url)
            return {"hero": "Made for small teams"}.get(answer.variant("homepage"), "Welcome")

    One engine is enough for a program: open it where the program starts, and keep it. Any number of threads may ask it
    at once; a process that forks (gunicorn, multiprocessing) may open it before, and each child goes on by itself. Rule
    files may be edited while it runs: they are taken once they are at rest and in order, as the service does. A data
    folder may be one that a running service writes; it may also be made later.
    """

    def __init__(self, settings: Settings) -> None:
        """As `open`, by settings. Raises as it does."""
        try:
            self.guest = Guest(settings)
        except RulesBroken as broken:
            for problem in broken.problems:
                broken.add_note(as_text(problem))
            raise
        except BadAddress as bad:
            raise ValueError(str(bad)) from None

    def __reduce__(self) -> NoReturn:
        """Raises TypeError: threads and open files are of one process."""
        raise TypeError(
            "An Engine is of one process, and cannot be copied or sent to another: open one in each. "
            "Only a process that is forked goes on with its parent's."
        )

    def __repr__(self) -> str:
        """Which folders, and which rules: for a log."""
        settings = self.guest.settings
        return f"<Engine rules={str(settings.rules)!r} data={str(settings.data)!r} ruleset={self.ruleset!r}>"

    @classmethod
    def open(
        cls,
        rules: str | Path = "rules",
        data: str | Path = "data",
        store: str | None = None,
        *,
        store_prefix: str = "mutiny:",
        read_budget_ms: int = 20,
        near_bytes: int = 64 * 2**20,
    ) -> Self:
        """An engine by the rule files in the folder `rules`, and by what is stored of visitors.

        That is in the folder `data` (of a running service, or nothing yet), or in a shared store: `redis://host:6379`,
        or replicas by commas, with `store_prefix` in front of their keys. A decision waits at most `read_budget_ms`
        milliseconds for it, and at most `near_bytes` of it are remembered here. Nothing is written in either. Takes a
        quarter of a second and more: a folder is read once it is at rest. A relative path is one from where the process
        is at this moment, wherever it goes later.

        Raises RulesBroken where the rule files have errors and `data` holds no last good ruleset of them; its notes are
        the errors, each with file and line; and ValueError for an address that is none or a number that is not
        positive, TypeError for what is no path or no text. A store that cannot be read is no error: see `trouble`.
        """
        _refuse_unless("rules", rules, str | os.PathLike, _FOLDER)
        _refuse_unless("data", data, str | os.PathLike, _FOLDER)
        _refuse_unless("store", store, str | None, _ADDRESS)
        _refuse_unless("store_prefix", store_prefix, str, "text")
        _refuse_unless_positive("read_budget_ms", read_budget_ms)
        _refuse_unless_positive("near_bytes", near_bytes)
        settings = Settings(
            rules=Path(rules),
            data=Path(data),
            store=store or None,
            store_prefix=store_prefix,
            read_budget_ms=read_budget_ms,
            near_bytes=near_bytes,
        )
        return cls(settings)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """An engine by the variables that the service reads: `Engine.from_environment(os.environ)`.

        `MUTINY_EDGE_RULES`, `MUTINY_EDGE_DATA`, `MUTINY_EDGE_STORE` and the others about stores. Raises RulesBroken,
        and ValueError for a variable that cannot be read.
        """
        return cls(Settings.from_environment(environment))

    def decide(
        self,
        visitor_id: str,
        *,
        url: str,
        referrer: str | None = "",
        title: str | None = "",
        visit_count: int | None = None,
        first_seen: datetime | None = None,
        new: bool | None = None,
        device_type: str | None = None,
        language: str | None = None,
        country: str | None = None,
        region: str | None = None,
        city: str | None = None,
        traits: Mapping[str, Any] | None = None,
    ) -> Answer:
        """What this visitor sees on this page, now.

        `visitor_id` is who the browser's cookie says (`Engine.visitor`), `url` the page as the browser shows it, with
        scheme, host and query. What of it should be percent-encoded and is not, is; of more than 8,192 characters the
        last parameters do not count. Everything else is what rules may ask for, if it is known:
        `visit_count` the how many-th visit it is, `first_seen` when the first one was (with a time zone), `new` whether
        this is the first; `device_type` desktop, mobile, tablet or bot; `language` such as de-AT; `country` and
        `region` as codes. `traits` are what the program itself knows of the visitor; what is stored of them counts
        before that.

        Writes nothing: what it answers has been seen once you have sent `track` of what you show.

        Raises QuestionError (a ValueError) for what is a mistake of the program's: an id that is none, a URL without
        scheme or host, values of another type; TypeError for a name that is no argument, RuntimeError after `close`.
        Nothing else: what we cannot read or get wrong is an answer that is `degraded`.
        """
        asked = question(
            visitor_id,
            url=url,
            referrer=referrer,
            title=title,
            visit_count=visit_count,
            first_seen=first_seen,
            new=new,
            device_type=device_type,
            language=language,
            country=country,
            region=region,
            city=city,
            traits=traits,
        )
        return answer(self.guest.decided(asked))

    def decide_json(self, visitor_id: str, **view: Unpack[View]) -> bytes:
        """The same as JSON, as `POST /v1/decide` answers: for a page that applies the changes itself."""
        asked = question(visitor_id, **view)
        return self.guest.answered(asked) or to_json(self.guest.decided(asked))

    async def adecide(self, visitor_id: str, **view: Unpack[View]) -> Answer:
        """The same for `async` programs: a shared store is asked in a thread, so that the event loop never waits.

        With the data folder it is `decide`, which waits for nothing once the first decision is made.
        """
        if self.guest.answers_at_once:
            return self.decide(visitor_id, **view)
        return await asyncio.to_thread(lambda: self.decide(visitor_id, **view))

    @staticmethod
    def visitor(cookies: Mapping[str, str], sec_gpc: str | None = None) -> Visitor:
        """Who a browser with these cookies is: by the cookie `mutiny_edge` of `client.js` or of yours, or somebody new.

        `sec_gpc` is the request's header `Sec-GPC`, by which browsers opt out. See `Visitor` for what comes of it.
        """
        return visitor(cookies, sec_gpc, utc_now())

    @property
    def ruleset(self) -> str:
        """The version of the rules in use, eight hex digits."""
        return self.guest.node.held.decider.ruleset.version

    @property
    def experiences(self) -> tuple[str, ...]:
        """The keys of all experiences in the rules, also of drafts: for a test that your code and the rules agree."""
        return tuple(self.guest.node.held.decider.ruleset.experiences)

    @property
    def trouble(self) -> str | None:
        """What is wrong now, in one line, or None.

        Rule files that are not in use because of an error (the last good ones are), a store that cannot be read or has
        gone, a `data` that is no folder, a fault of ours within the last minute. After an answer that is `degraded` it
        says why. All of it is in the log (`mutiny_edge.…`), tried again by itself, and no reason to stop.
        """
        return self.guest.trouble

    def watch(self, callback: Callable[[News], None]) -> Callable[[], None]:
        """Call `callback(news)` after the rules or `trouble` have changed, or an experience has begun or ended by its
        `schedule`; calling what this returns ends it.

        It is called in the engine's thread, one at a time; what it raises is logged. After a fork the child's engine
        tells once the child has decided something.
        """
        if not callable(callback):
            raise TypeError(f"Expected callback as a function that takes news, got {type(callback).__name__}.")
        return self.guest.watch(callback)

    def close(self) -> None:
        """End the thread and let go of the store. Closing twice is harmless; deciding afterwards is an error."""
        self.guest.close()

    def __enter__(self) -> Self:
        """`with Engine.open(…) as engine:` closes it at the end."""
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Close it."""
        self.close()


def _refuse_unless(name: str, value: object, kind: Any, expected: str) -> None:
    """Raises TypeError for what is of no such kind."""
    if not isinstance(value, kind):
        raise TypeError(f"Expected {name} as {expected}, got {type(value).__name__}.")


def _refuse_unless_positive(name: str, number: object) -> None:
    """Raises ValueError for what is no whole number from 1."""
    if type(number) is not int or number < 1:
        raise ValueError(f"Expected {name} as a whole number from 1, got {number!r}.")
