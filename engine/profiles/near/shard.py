"""The records for which one server answers: what is remembered of them, the link to it, and what is asked over it.

What lives here: `Shard`. What may not: which server that is (`servers`), who waits for an answer (`flights`).

1. A record is remembered when the answer with it is read, in the order of the link's stream: what has changed since is
   told behind it, and taken away again.
2. Where a link is lost, what is remembered becomes stale; where it is silent, it is put away until the server speaks.
   Meanwhile the shard is not `up`: nothing is asked, whoever waits need not wait any longer, and nothing is done for a
   request.
3. **Where a record leads** the server itself says. On one server a script follows the links from each record
   and names all that lies on the way. It only names them: what a script reads the server does not keep track of, but
   for the keys that it is called with. In a cluster a script cannot leave its slot, and where scripts are not allowed
   there are none: there the records' own hints are taken. A wrong hint costs a round trip, and nothing else.
4. Without a link that is tracked, what was read is right for `limits.NEAR_UNTRACKED_S`.
5. Where the nearest servers do not answer another one may be read in their place (`instead`); that is trouble.
6. A server that answers with trouble (it is loading, its primary is gone, it does not let us in) is as good as lost.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, TypeAlias

from redis.exceptions import AskError, NoPermissionError, ResponseError

from engine import limits
from engine.profiles.ids import Key
from engine.profiles.near.kept import Kept
from engine.profiles.near.link import Link, Reply
from engine.profiles.store import CHAIN_LONGEST, DAMAGED
from engine.profiles.valkey.value import route, unpacked

Names: TypeAlias = Iterable[Key]
Landed: TypeAlias = Callable[[Names], None]  # is told what the records that were asked for lead to
Elsewhere: TypeAlias = Callable[[Key, AskError, Landed], None]
Seen: TypeAlias = Callable[[Key, bytes], None]

# With it a server knows that the script only reads, and lets it through where writes are held back (CLIENT PAUSE WRITE,
# as a failover does it). Redis 6 does not know it.
_ONLY_READS: Final = b"#!lua flags=no-writes\n"
# Of each key the value, and the names of all that lies on its way: `value.py` says how they stand in it.
_SCRIPT: Final = b"""\
local found = {}
for place, first in ipairs(KEYS) do
  local one, name, steps = {false}, first, 0
  while name and steps < tonumber(ARGV[2]) do
    local value = redis.pcall('GET', name)
    if type(value) == 'table' then value = '' end
    if steps == 0 then one[1] = value end
    name, steps = false, steps + 1
    local at = 6
    for number = 1, value and value:byte(5) or 0 do
      local length = (value:byte(at) or 0) * 256 + (value:byte(at + 1) or 0)
      if length > 0 then
        local leads = value:sub(at + 2, at + 1 + length)
        one[#one + 1] = leads
        if number == 1 then name = ARGV[1] .. leads end
      end
      at = at + 2 + length
    end
  end
  found[place] = one
end
return found
"""
_BEHIND: Final = "is a replica that has lost its primary: what changes is not seen there"
_INSTEAD: Final = "the store that is written is read instead, until one of --read-store answers"
_STEPS: Final = b"%d" % CHAIN_LONGEST


def _nothing(_: Reply) -> None:
    """The answer says nothing that anybody needs to know."""


def _unseen(_: Key, __: bytes) -> None:
    """One server's script needs no hints."""


class Shard:
    """One server's part of a store, or all of it.

    Of a cluster: `elsewhere` is told of a record for which another server answers, `seen` of one that leads on.
    """

    def __init__(self, kept: Kept, prefix: bytes, elsewhere: Elsewhere | None = None, seen: Seen = _unseen) -> None:
        self.kept = kept
        self.up = False
        self.tracked = False  # the last time that there was a link
        self.instead = False
        self.read_from = ""  # as it was told in the log
        self._trouble: str | None = "the store is not connected yet"
        self._name = ""  # of the server that the link leads to
        self._link: Link | None = None
        self._asked: set[_Asked] = set()
        self._prefix = prefix
        self._elsewhere = elsewhere
        self._seen = seen
        self._scripts = False
        self._script = _ONLY_READS + _SCRIPT

    async def serve(self, link: Link, name: str) -> None:
        """Use this link, to the server of this name, until it is lost. Raises RedisError, OSError."""
        self._link, self._name = link, name
        self.kept.lasting = self.tracked = link.tracked
        self._scripts = self._elsewhere is None
        self._script = _ONLY_READS + _SCRIPT
        self.up = True
        if not self.instead:
            self._trouble = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(link.live())
                if not link.tracked:
                    tasks.create_task(self._age())
        finally:
            self.up, self._link = False, None
            self._trouble = f"the connection to {name} is lost"
            self.kept.outdate()

    def note_trouble(self, trouble: str) -> None:
        """Why there is no link."""
        self._trouble = trouble

    @property
    def trouble(self) -> str | None:
        """What is wrong, in one line."""
        if self._link is None:
            return self._trouble
        if self._link.silent:
            return f"{self._name} does not answer"
        if self._link.behind:
            return f"{self._name} {_BEHIND}"
        return f"{self._trouble}; {_INSTEAD}" if self.instead else None

    @property
    def link(self) -> Link | None:
        """The link in use."""
        return self._link

    def changed(self, name: bytes | None) -> None:
        """A record is another one now; None: all of them are."""
        if name is None:
            self.kept.drop_all()
        else:
            self.kept.drop(Key(name[len(self._prefix) :]))

    def turned(self, *, silent: bool) -> None:
        """The server does not answer, or does again."""
        self.up = not silent
        if not silent:
            self.kept.show()
            return
        self.kept.hide()
        for asked in tuple(self._asked):
            asked.give_up()

    # --- asking ---

    def fetch_ways(self, keys: Sequence[Key], landed: Landed) -> None:
        """Ask for these records, and for the names of all that lies on their ways."""
        if self._link is None or not self.up or not self._scripts:
            self.fetch(keys, landed)
            return
        names = [self._prefix + key for key in keys]
        command = (b"EVAL", self._script, b"%d" % len(names), *names, self._prefix, _STEPS)
        self._link.ask(partial(self._take_ways, keys, self._asking(1, landed)), *command)

    def fetch(self, keys: Sequence[Key], landed: Landed) -> None:
        """Ask for these records alone; what they lead to is what they say themselves."""
        if self._link is None or not self.up:
            landed(())
            return
        asked = self._asking(len(keys), landed)
        for key in keys:
            self._link.ask(partial(self._take, key, asked.landed), b"GET", self._prefix + key)

    def fetch_moving(self, key: Key, landed: Landed) -> None:
        """Ask for a record that is about to move here."""
        if self._link is None or not self.up:
            landed(())
            return
        self._link.ask(_nothing, b"ASKING")
        self._link.ask(partial(self._take, key, self._asking(1, landed).landed), b"GET", self._prefix + key)

    def _asking(self, answers: int, landed: Landed) -> "_Asked":
        asked = _Asked(answers, landed, self._asked)
        self._asked.add(asked)
        return asked

    def _take_ways(self, keys: Sequence[Key], asked: "_Asked", reply: Reply) -> None:
        if isinstance(reply, ResponseError) and self._script != _SCRIPT and "compil" in str(reply):
            self._script = _SCRIPT
            self.fetch_ways(keys, asked.landed)
        elif isinstance(reply, ResponseError):
            self._scripts = not (isinstance(reply, NoPermissionError) or "unknown command" in str(reply).lower())
            self.fetch(keys, asked.landed)
        elif isinstance(reply, Exception):
            asked.landed(())
        else:
            names: set[Key] = set()
            for key, (raw, *on_the_way) in zip(keys, reply, strict=True):
                self.kept.put(key, None if raw is None else unpacked(key, raw))
                names.update(on_the_way)
            asked.landed(names)

    def _take(self, key: Key, landed: Landed, reply: Reply) -> None:
        if isinstance(reply, bytes):
            body = unpacked(key, reply)
            self.kept.put(key, body)
            leads = () if body is DAMAGED else route(reply)
            if leads and leads[0]:
                self._seen(key, reply)
            landed(map(Key, filter(None, leads)))
        elif reply is None:
            self.kept.put(key, None)
            landed(())
        elif isinstance(reply, AskError) and self._elsewhere is not None:
            self._elsewhere(key, reply, landed)
        else:
            self._take_trouble(key, reply)
            landed(())

    def _take_trouble(self, key: Key, error: Exception) -> None:
        if str(error).startswith("WRONGTYPE"):
            self.kept.put(key, DAMAGED)
        elif isinstance(error, ResponseError) and self._link is not None:
            self._link.fail(error)

    async def _age(self) -> None:
        while True:
            await asyncio.sleep(limits.NEAR_UNTRACKED_S / 2)
            self.kept.age()


class _Asked:
    """Some answers that are waited for together."""

    __slots__ = ("_all", "_landed", "_left", "_names")

    def __init__(self, answers: int, landed: Landed, all_: "set[_Asked]") -> None:
        self._left = answers
        self._names: set[Key] = set()
        self._landed: Landed | None = landed
        self._all = all_

    def landed(self, names: Names) -> None:
        """One of them is there."""
        self._names.update(names)
        self._left -= 1
        if not self._left:
            self.give_up()

    def give_up(self) -> None:
        """Whoever waits goes on with what is there; what comes later is remembered all the same."""
        self._all.discard(self)
        if self._landed is not None:
            landed, self._landed = self._landed, None
            landed(self._names)
