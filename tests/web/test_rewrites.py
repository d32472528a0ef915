"""Rule files rewritten under load in six manners, each of them a way in which real editors, copies and clusters do it.

1. Edition `n` is three files, and `n` stands in all of their parts. What the folder held at any time is noted, so that
   for every answer it is known what exactly its `ruleset` has to say: the test decides by itself, with the same files.
2. Whatever a folder held for less than `LOOK_INTERVAL_S` nobody may ever answer with. What it held for longer was at
   rest, and may be taken if it is a ruleset; so a test machine that sleeps makes no fault.
3. On one connection, which is one worker's, editions never go back; every worker is asked all the time.
4. A good edition decides within two seconds. What the machine takes away from this process meanwhile does not count.
5. A fault that never bit proves nothing: the service tells its looks (`HOOK`), and every manner names what has to be
   seen in them. How often it was is printed (`pytest -s`).
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec import Struct, field

from engine import limits
from engine.decide.decider import Decider
from engine.decide.wire import to_json
from engine.rules.files import RuleText, rule_files
from engine.rules.folder import load_texts
from engine.words import Page, Profile, Visit

CLIENTS = 6  # of each worker
WORKERS = 2
ASK_EVERY_S = 0.01
PAUSE_S = 0.06
LIVE_WITHIN_S = 2.0
LATE_S = 0.02  # a loop that is woken later than this was kept from running

# Runs in the service and its workers (`sitecustomize`): tells every look that found the folder changed.
HOOK = """
import os
from engine.rules.watch import Watcher
look = Watcher.look
def told(self):
    phase = look(self)
    if phase != "same":
        files = self._last or ()
        os.write(2, f"LOOK {phase} {len(files)} {sum(file[3] for file in files)}\\n".encode())
    return phase
Watcher.look = told
"""
SEGMENTS = """\
segments:
  {key}: {{name: "Few {n:04}", when: "traits.employees <= {n}"}}
  all: {{name: "All {n:04}", when: "true"}}
"""
EXPERIENCE = """\
  {name}:
    name: "{name} {n:04}"
    pages: ["https://www.example.com/**"]
    audiences:
      - {{segment: {segment}, control: 0%, variants: [{{key: v, changes: [{{selector: "#{name}", text: "{n:04}"}}]}}]}}
"""
CASE = """\
tests:
  - name: edition {n:04} is shown
    given: {{traits: {{employees: 1}}, page: {{url: "https://www.example.com/"}}}}
    expect: {{experience: site, segment: {key}, variant: v}}
"""
Files = dict[str, bytes]


def edition(n: int, key: str = "few") -> Files:
    """Edition `n`: three files whose sizes, added up, are those of no mixture of two editions."""
    parts = {
        "a-segments.yaml": [SEGMENTS],
        "b-site.yaml": [
            "experiences:\n",
            *(EXPERIENCE.replace("{name}", f"{name}") for name in ("site", "more", "last")),
        ],
        "c-extra.yaml": ["experiences:\n", EXPERIENCE.replace("{name}", "extra"), CASE],
    }
    padding = {"a": 97 * n, "b": 31 * n, "c": 11 * n}
    texts = {name: "".join(part) for name, part in parts.items()}
    return {
        name: text.replace("{segment}", "all" if name[0] == "c" else "{key}").format(n=n, key=key).encode()
        + b"#" * padding[name[0]]
        for name, text in texts.items()
    }


class State(Struct):
    """What the folder held from `began` on."""

    began: float
    files: Files
    good: bool = False


class Folder:
    """A rules folder that is rewritten, with all that it ever held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.states: list[State] = []
        self.edition = 0
        self.whole: Files = {}

    def note(self, *, good: bool = False) -> None:
        """Something was changed; `good`: what is there now is a whole edition."""
        held = {path.name: path.read_bytes() for path in rule_files(self.path) if path.exists()}
        assert held == self.whole or not good
        self.states.append(State(time.monotonic(), held, good))

    def put(self, name: str, data: bytes, mode: str = "wb", *, good: bool = False) -> None:
        """Write into a file as it is."""
        with (self.path / name).open(mode) as file:
            file.write(data)
        self.note(good=good)

    def rename(self, name: str, data: bytes, *, good: bool = False) -> None:
        """Write aside and rename."""
        aside = self.path / f".{name}"
        aside.write_bytes(data)
        aside.replace(self.path / name)
        self.note(good=good)

    def link(self, files: Files) -> None:
        """Have `..data` lead to a new folder with these files, from one moment to the other."""
        inside = self.path / f"..{len(self.states)}"
        inside.mkdir()
        for name, data in files.items():
            (inside / name).write_bytes(data)
        (self.path / "..data_tmp").symlink_to(inside.name)
        (self.path / "..data_tmp").replace(self.path / "..data")

    def next(self, key: str = "few") -> Files:
        """The files of the next edition."""
        self.edition += 1
        self.whole = edition(self.edition, key)
        return self.whole


# --- the six manners: what is done, and what has to be seen of it ------------------------------------------------


async def in_pieces(folder: Folder, _: Callable[[str], int]) -> None:
    """Truncated and written in three pieces, with pauses. A part of such a file is a smaller ruleset, and valid."""
    for name, data in folder.next().items():
        lines = data.splitlines(keepends=True)
        cuts = [0, len(lines) // 3, 2 * len(lines) // 3, len(lines)]
        for number in range(3):
            await asyncio.sleep(PAUSE_S)
            piece = b"".join(lines[cuts[number] : cuts[number + 1]])
            folder.put(name, piece, "ab" if number else "wb", good=name[0] == "c" and number == 2)


async def aside_and_renamed(folder: Folder, _: Callable[[str], int]) -> None:
    """Each file replaced whole, one after the other: between them the folder is a mixture that would be valid."""
    for name, data in folder.next().items():
        await asyncio.sleep(2 * PAUSE_S)
        folder.rename(name, data, good=name[0] == "c")


async def link_swapped(folder: Folder, _: Callable[[str], int]) -> None:
    """As a ConfigMap does it: all files are links through `..data`, and only that one is replaced."""
    folder.link(folder.states[-1].files)
    for name in edition(1):
        (folder.path / f".{name}").symlink_to(f"..data/{name}")
        (folder.path / f".{name}").replace(folder.path / name)
    folder.note(good=True)
    await asyncio.sleep(3 * limits.LOOK_INTERVAL_S)
    folder.link(folder.next())
    folder.note(good=True)


async def deleted_and_created(folder: Folder, _: Callable[[str], int]) -> None:
    """Everything gone, then there again."""
    for name in edition(1):
        (folder.path / name).unlink()
        folder.note()
        await asyncio.sleep(PAUSE_S)
    for name, data in folder.next().items():
        await asyncio.sleep(PAUSE_S)
        folder.put(name, data, good=name[0] == "c")


async def one_after_the_other(folder: Folder, seen: Callable[[str], int]) -> None:
    """Files that only fit together, with so long a pause that their misfit is at rest, read and refused."""
    number = folder.edition + 1
    files = folder.next(f"few-{number}")
    before = seen("not taken")
    folder.rename("a-segments.yaml", files["a-segments.yaml"])
    await refused_by_all(seen, before)
    folder.rename("c-extra.yaml", files["c-extra.yaml"])
    folder.rename("b-site.yaml", files["b-site.yaml"], good=True)


async def broken(folder: Folder, seen: Callable[[str], int]) -> None:
    """No YAML, no CEL, no UTF-8, too large, empty, failing its own test: refused; then a good one again."""
    n, files = folder.edition, edition(folder.edition)
    kinds = [
        ("a-segments.yaml", b"segments: ["),
        ("a-segments.yaml", files["a-segments.yaml"].replace(b"<", b"< <")),
        ("b-site.yaml", files["b-site.yaml"] + b"# \xff\n"),
        ("b-site.yaml", b"#" * (limits.RULE_FILE_BYTES + 1)),
        ("a-segments.yaml", b""),
        ("c-extra.yaml", files["c-extra.yaml"].replace(b"employees: 1}", b"employees: %d}" % (n + 1))),
    ]
    before = seen("not taken")
    folder.rename(*kinds[n % len(kinds)])
    await refused_by_all(seen, before)
    for name, data in folder.next().items():
        folder.rename(name, data, good=name[0] == "c")


async def refused_by_all(seen: Callable[[str], int], before: int) -> None:
    """Until every worker has said that it does not take what is there."""
    end = time.monotonic() + 30
    while seen("not taken") < before + WORKERS:
        assert time.monotonic() < end, "nobody refused it"
        await asyncio.sleep(0.02)


MANNERS = [in_pieces, aside_and_renamed, link_swapped, deleted_and_created, one_after_the_other, broken]


def bites(manner: Any, lines: list[str], folder: Folder) -> int:
    """How often the fault was seen by the service in these lines of its log."""
    looks = [line.split()[1:] for line in lines if line.startswith("LOOK")]
    whole = {sum(map(len, state.files.values())) for state in folder.states if state.good}
    if manner in {one_after_the_other, broken}:
        return sum("not taken" in line for line in lines)
    if manner is link_swapped:
        return sum(look[0] == "settling" for look in looks)
    if manner is deleted_and_created:
        return sum(int(look[1]) < 3 for look in looks)
    return sum(look[0] == "settling" and int(look[2]) not in whole for look in looks)


# --- the load ----------------------------------------------------------------------------------------------------


class Seen(Struct):
    """What the clients were answered: bodies by version, versions in order by connection."""

    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    orders: list[list[str]] = field(default_factory=list)
    answers: int = 0
    failed: list[str] = field(default_factory=list)
    late_s: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def newest(self) -> set[str]:
        """The last version on every connection."""
        return {order[-1] for order in self.orders}


async def ask(connection: Any, request: bytes, seen: Seen, order: list[str]) -> None:
    """One question."""
    answer = await connection.ask(request)
    seen.answers += 1
    if answer.status != 200:
        seen.failed.append(str(answer))
        return
    version = answer.body.split(b'"ruleset":"')[1][:8].decode()
    seen.bodies.setdefault(version, set()).add(answer.body)
    if not order or order[-1] != version:
        order.append(version)


async def client(connection: Any, request: bytes, seen: Seen, order: list[str]) -> None:
    """Asks until it ends."""
    while not seen.ended.is_set():
        await ask(connection, request, seen, order)
        await asyncio.sleep(ASK_EVERY_S)
    await connection.close()


async def heartbeat(seen: Seen) -> None:
    """Notes how much of the time this process was kept from running."""
    while not seen.ended.is_set():
        began = time.monotonic()
        await asyncio.sleep(LATE_S)
        seen.late_s += max(0.0, time.monotonic() - began - 2 * LATE_S)


def workers_of(service: Any) -> list[int]:
    """The worker processes: children that run Python's spawn."""
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@asynccontextmanager
async def load(service: Any, wire: ModuleType, seen: Seen) -> AsyncIterator[None]:
    """Clients at every worker: the others are stopped while they connect."""
    pids, request = workers_of(service), wire.post(wire.decision(1))
    assert len(pids) == WORKERS
    async with asyncio.TaskGroup() as group:
        group.create_task(heartbeat(seen))
        for pid in pids:
            for other in pids:
                os.kill(other, signal.SIGCONT if other == pid else signal.SIGSTOP)
            for _ in range(CLIENTS):
                connection, order = await wire.Wire.open(wire.at(service.url)), list[str]()
                await ask(connection, request, seen, order)
                seen.orders.append(order)
                group.create_task(client(connection, request, seen, order))
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        try:
            yield
        finally:
            seen.ended.set()


def _unbitten(bitten: Counter[str]) -> Iterator[Any]:
    """Chance decides what a look sees: what never bit is tried again, some times."""
    for _ in range(5):
        yield from (manner for manner in MANNERS if not bitten[manner.__name__])


async def rewrite(service: Any, wire: ModuleType, folder: Folder, seen: Seen, rounds: int) -> Counter[str]:
    """Every manner in turn, `rounds` times; how often each bit."""
    bitten: Counter[str] = Counter()
    async with load(service, wire, seen):
        for manner in chain(MANNERS * rounds, _unbitten(bitten)):
            start = len(service.log)
            await manner(folder, lambda text: sum(text in line for line in list(service.log)))
            wanted = load_texts([RuleText(name, data) for name, data in edition_of(folder).items()]).ruleset
            began, late_s = time.monotonic(), seen.late_s
            while seen.newest() != {wanted.version if wanted else ""}:
                took_s = time.monotonic() - began - (seen.late_s - late_s)
                assert took_s < LIVE_WITHIN_S, f"{manner.__name__}: edition {folder.edition} does not decide"
                await asyncio.sleep(0.01)
            bitten[manner.__name__] += bites(manner, service.log[start:], folder)
    return bitten


def edition_of(folder: Folder) -> Files:
    """What the folder holds now, which is a whole edition."""
    assert folder.states[-1].good
    return folder.states[-1].files


def told(folder: Folder) -> dict[str, tuple[int, bytes]]:
    """For every version that may answer, its place in time and what it has to say."""
    right: dict[str, tuple[int, bytes]] = {}
    ends = [state.began for state in folder.states[1:]] + [float("inf")]
    for number, (state, end) in enumerate(zip(folder.states, ends, strict=True)):
        if not state.good and end - state.began < limits.LOOK_INTERVAL_S:
            continue
        ruleset = load_texts([RuleText(name, data) for name, data in sorted(state.files.items())]).ruleset
        if ruleset is not None:
            visitor, page = Profile("v1", {"employees": 1}), Page("https://www.example.com/")
            decision = Decider(ruleset).decide(visitor, page, Visit(), datetime(2026, 1, 1, tzinfo=UTC))
            right[ruleset.version] = (number, to_json(decision))
    return right


@pytest.mark.parametrize("rounds", [1, pytest.param(34, marks=pytest.mark.long)])
def test_rewritten_files_never_show(
    serve: Callable[..., Any], wire: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """No request fails, each answer is one whole edition's, none goes back, each good one decides in two seconds."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    (tmp_path / "rules").mkdir()
    folder, seen = Folder(tmp_path / "rules"), Seen()
    for name, data in folder.next().items():
        folder.put(name, data, good=name[0] == "c")
    service = serve(folder.path, "--workers", str(WORKERS), "--drain", "0").up()
    bitten = asyncio.run(rewrite(service, wire, folder, seen, rounds))
    print(f"{folder.edition - 1} rewrites, {seen.answers} answers; bitten: {dict(bitten)}")
    assert seen.failed == []
    right = told(folder)
    assert seen.bodies == {version: {right[version][1]} for version in seen.bodies if version in right}
    for order in seen.orders:
        assert order == sorted(order, key=lambda version: right[version][0])
    assert all(bitten[manner.__name__] for manner in MANNERS), bitten
    assert not any("Traceback" in line or "failed" in line for line in service.log)
