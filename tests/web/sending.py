"""A source that sends batches without a pause, and what must be true of them afterwards.

1. Every message has an id of its own. Of four, the first names a user whom nobody else names, the second such an
   anonymous id, with a trait `mark` that is the message's id: each can be looked for in the store. The third is about
   one of a few users whom everybody names, the fourth a track of a user and an anonymous id.
2. A batch that got its 200 is *acknowledged*. One that was refused, or got no answer, is not sent again: what of it is
   found all the same was written, and never acknowledged.
3. `check` is the law: what is acknowledged is in log and store, nothing is there that was never sent, and a replay of
   the log into an empty store gives the same bytes in every record.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

from engine.events.line import Entry
from engine.events.reading import Damaged, Torn, entries, files
from engine.profiles.encoding import facts
from engine.profiles.ids import Key, key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Found
from engine.segment.sources import Sources

PATIENCE_S = 60.0  # no test measures time; this only ends what hangs
SHARED = 20  # users whom everybody names
ON_A_CONNECTION = 5  # batches: so that workers that are new get some as well
PAUSE_S = 0.02  # after a refusal, or where nobody listens


class Source:
    """One source of a data folder. `cut` are batches without any answer; `faults` what must not happen."""

    def __init__(self, data: Path, wire: Any, *, name: str = "website", size: int = 50) -> None:
        self.data = data
        self.name = name
        self.key = Sources(data).add(name, "website")
        self.basic = "authorization: Basic " + b64encode(f"{self.key}:".encode()).decode()
        self.offered: set[str] = set()
        self.acknowledged: set[str] = set()
        self.answers: Counter[int] = Counter()
        self.cut = 0
        self.faults: list[str] = []
        self._wire = wire
        self._size = size
        self._ids = (f"m{n}" for n in count())

    def batch(self) -> tuple[list[str], bytes]:
        """The ids of the next messages, and the request with them."""
        ids = [next(self._ids) for _ in range(self._size)]
        return ids, self.request([message(id_) for id_ in ids])

    def request(self, batch: list[Any]) -> bytes:
        """A request with these messages."""
        post: bytes = self._wire.post(json.dumps({"batch": batch}).encode(), self.basic, path="/v1/batch")
        return post

    def beside(
        self, address: tuple[str, int], clients: int, meanwhile: Callable[[], Awaitable[Any]], seconds: float = 0.0
    ) -> None:
        """So many clients send while something happens to the service, and `seconds` before and after."""

        async def run() -> None:
            ended = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for _ in range(clients):
                    group.create_task(self.send(address, ended))
                try:
                    await asyncio.sleep(seconds)
                    await meanwhile()
                    await asyncio.sleep(seconds)
                finally:
                    ended.set()

        asyncio.run(run())

    async def send(self, address: tuple[str, int], ended: asyncio.Event) -> None:
        """One client, until then."""
        while not ended.is_set():
            try:
                wire = await self._wire.Wire.open(address)
            except OSError:  # nobody listens
                await asyncio.sleep(PAUSE_S)
                continue
            try:
                await self._send_on(wire, ended)
            except self._wire.Cut:
                self.cut += 1
            await wire.close()

    async def _send_on(self, wire: Any, ended: asyncio.Event) -> None:
        for _ in range(ON_A_CONNECTION):
            if ended.is_set():
                return
            ids, request = self.batch()
            self.offered.update(ids)
            answer = await wire.ask(request)
            self.answers[answer.status] += 1
            if answer.status == 200:
                self.acknowledged.update(ids)
            elif answer.status in {429, 503} and int(answer.headers["retry-after"]) >= 1:
                await asyncio.sleep(PAUSE_S)
            else:
                self.faults.append(str(answer))
            if answer.closes:
                return

    def check(self, folder: Path) -> int:
        """The law, of a service that has ended; how many messages were written and not acknowledged.

        `folder` is an empty one, to replay in.
        """
        assert self.faults == []
        logged, torn = messages(self.data, self.name)
        assert torn == 0
        assert self.acknowledged <= logged
        assert logged <= self.offered
        live = records(self.data)
        assert [id_ for id_ in self.acknowledged if not is_stored(id_, live)] == []
        assert replayed(self.data, folder) == live
        return len(logged - self.acknowledged)


def message(id_: str) -> dict[str, Any]:
    """The message with this id."""
    n = int(id_[1:])
    if n % 4 == 0:
        body: dict[str, Any] = {"type": "identify", "userId": f"u-{id_}", "traits": {"mark": id_}}
    elif n % 4 == 1:
        body = {"type": "identify", "anonymousId": f"a-{id_}", "traits": {"mark": id_}}
    elif n % 4 == 2:
        body = {"type": "identify", "userId": f"u{n % SHARED}", "traits": {f"t{n % 30}": id_, "last": n}}
    else:
        body = {"type": "track", "event": f"Event {n % 7}", "userId": f"u{n % SHARED}", "anonymousId": f"a{n % 100}"}
    return {**body, "messageId": id_, "context": {"page": {"path": "/pricing"}, "userAgent": "Mozilla/5.0 " * 10}}


def is_stored(id_: str, live: dict[Key, Found]) -> bool:
    """Is the trait of this message in the store, where it has one of its own?"""
    kind = int(id_[1:]) % 4
    if kind > 1:
        return True
    body = live.get(key("user", f"u-{id_}") if kind == 0 else key("anonymous", f"a-{id_}"))
    return isinstance(body, bytes) and facts(body).traits == {"mark": id_}


def messages(data: Path, source: str = "website") -> tuple[set[str], int]:
    """The ids of a source's messages in the log, and how many files have a torn end; nothing in it is damaged."""
    found = [item for path in files(data / "events") for item in entries(path)]
    assert [item for item in found if isinstance(item, Damaged)] == []
    said = (item.message for item in found if isinstance(item, Entry) and item.source == source)
    ids = {json.loads(message)["messageId"] for message in said if message is not None}
    return ids, sum(isinstance(item, Torn) for item in found)


def records(data: Path) -> dict[Key, Found]:
    """Everything in the store."""
    store = LmdbStore(data / "profiles", read_only=True)
    try:
        return dict(store.scan())
    finally:
        store.close()


def replayed(data: Path, folder: Path) -> dict[Key, Found]:
    """What `mutiny-edge replay` makes of the same log in a data folder that has no store."""
    shutil.copytree(data / "events", folder / "events")
    program = [sys.executable, "-c", "from engine.cli.main import main; main()"]
    done = subprocess.run(
        [*program, "replay", "--data", str(folder)], check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return records(folder)


def is_caught_up(data: Path) -> bool:
    """Does the store know all that is in the log?"""
    store = LmdbStore(data / "profiles", read_only=True)
    try:
        marks = store.marks()
    finally:
        store.close()
    return all(marks.get(path.name, 0) == path.stat().st_size for path in files(data / "events"))
