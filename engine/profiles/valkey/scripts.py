"""What has to happen in one step on the server: short scripts in Lua, each about the one key that it is given.

What lives here: the scripts, and how one is called. What may not: what is stored, and why.

1. A script is called by its SHA-1; a server that does not know it (yet, or again) says `NOSCRIPT`, is sent the text and
   remembers it. So nothing has to be installed, and no right is needed but to `EVAL` and `EVALSHA`.
2. `SWAP` is compare-and-set. What was read is named by its SHA-1, which is shorter than what was read.
3. `RAISE` checks all, then writes all. It is where a mark never jumps over a gap (`store`, 4).
   What is of another type, for somebody else put it there, is no record and no mark: it reads as an empty value, which
   no record has, and gives way to what is written.
4. `FOLLOW` is for one server alone, where a script may read any key: in a cluster it could not leave its slot.
"""

from collections.abc import Iterable
from hashlib import sha1
from typing import Any, Final, Protocol, TypeAlias

from msgspec import Struct
from redis.exceptions import NoScriptError

from engine.profiles.store import CHAIN_LONGEST

Command: TypeAlias = tuple[Any, ...]
Asked: TypeAlias = tuple[bytes, Command]  # a command, and the key that says which server it is for
Call: TypeAlias = tuple[bytes, Command]  # a script's key and arguments


class Asks(Protocol):
    """Whoever puts commands to the servers of a store."""

    def ask(self, asked: list[Asked]) -> list[Any]:
        """The answer to each, or the exception."""
        ...


class Script(Struct, frozen=True):
    """A script and the name by which a server knows it."""

    text: str

    @property
    def name(self) -> str:
        """SHA-1 of the text: the server's choice."""
        return sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_READ: Final = """\
local function read(...)
  local said = redis.pcall(...)
  if type(said) == 'table' and said.err:find('WRONGTYPE', 1, true) then return '', true end
  return said
end
"""

# KEYS[1]: the key. ARGV: SHA-1 of what was read there (empty: nothing), what to put in its place, SET's own options.
# 1: done. Otherwise what is there by now, or nothing.
SWAP: Final = Script(f"""{_READ}\
local held = read('GET', KEYS[1])
if type(held) == 'table' then return held end
if (held and redis.sha1hex(held) or '') ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], unpack(ARGV, 2))
return 1
""")

# KEYS[1]: a node's marks. ARGV: for each file its name, where what was applied begins, and where it ends.
# 1: no mark is now less than such an end. 0: of some file less is kept than where it begins, and nothing was changed.
RAISE: Final = Script(f"""{_READ}\
local held, foreign = {{}}, false
for i = 1, #ARGV, 3 do
  local said, other = read('HGET', KEYS[1], ARGV[i])
  if type(said) == 'table' then return said end
  held[i], foreign = tonumber(said or '') or -1, other
  if math.max(held[i], 0) < tonumber(ARGV[i + 1]) then return 0 end
end
if foreign then redis.call('DEL', KEYS[1]) end
for i = 1, #ARGV, 3 do
  if held[i] < tonumber(ARGV[i + 2]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
return 1
""")

# KEYS[1]: the first record's key. ARGV: what stands in front of every key. The values of a chain, as `value` has them:
# from the first of each route to the next; it ends where nothing is found or follows.
FOLLOW: Final = Script(f"""{_READ}\
local found, key = {{}}, KEYS[1]
while #found < {CHAIN_LONGEST} do
  local value = read('GET', key)
  if type(value) == 'table' then return value end
  found[#found + 1] = value
  if not value or #value < 8 or value:byte(5) == 0 then return found end
  local last = 7 + value:byte(6) * 256 + value:byte(7)
  if last == 7 then return found end
  key = ARGV[1] .. value:sub(8, last)
end
return found
""")

# KEYS[1]: a key that is never there. It says what any write would say, and writes nothing.
PROBE: Final = Script("return redis.call('SET', KEYS[1], '', 'XX')\n")


def run(script: Script, calls: Iterable[Call], server: Asks) -> list[Any]:
    """What the script says to each of these; or the exception."""
    wanted = list(calls)
    name = script.name
    answers = server.ask([(call[0], ("EVALSHA", name, 1, *_flat(call))) for call in wanted])
    unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if unknown:
        texts = [(wanted[number][0], ("EVAL", script.text, 1, *_flat(wanted[number]))) for number in unknown]
        for number, answer in zip(unknown, server.ask(texts), strict=True):
            answers[number] = answer
    return answers


def _flat(call: Call) -> Command:
    key, arguments = call
    return key, *arguments
