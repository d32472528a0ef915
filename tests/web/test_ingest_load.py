"""The real service, two workers, while sources send: a trait sent is in the next decision, and bad input costs nobody.

1. `identify`, answered, then at once a decision: both on connections of their own, so on any two of the workers. Which
   two is read from /proc, and all four pairs must have come.
2. Bad input is whatever a broken or malicious client may send with a good key, and good requests with a bad one. None
   of it is a fault of ours (5xx), and the good messages beside it, in the same batches and others, are all kept.
"""

import asyncio
import gzip
import json
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

CLIENTS = 4
PAGE = {"url": "https://www.example.com/"}


def worker_of(wire: Any, workers: list[int], port: int) -> int | None:
    """The worker that holds the connection from this port."""
    for pid in workers:
        with suppress(FileNotFoundError):  # it closed a file meanwhile
            if port in wire.peers_of(pid):
                return pid
    return None


class Pairs:
    """Visitors whose company changes its size, and what a page shows them then."""

    def __init__(self, service: Any, source: Any, wire: Any) -> None:
        self._source, self._wire = source, wire
        self._address = wire.at(service.url)
        self._workers = wire.children(service)
        self.pairs: Counter[tuple[int | None, int | None]] = Counter()
        self.late: list[str] = []

    async def visitors(self, first: int, count: int) -> None:
        """One after the other."""
        for visitor in range(first, first + count):
            for employees in (12, 500, 13):
                await self._visit(f"v{visitor}", employees)

    async def _visit(self, visitor: str, employees: int) -> None:
        traits = {"employees": employees, "mutinyVisitorId": visitor}
        said = {"type": "identify", "anonymousId": f"a-{visitor}", "traits": traits}
        by, told = await self._ask(self._source.request([said]))
        assert told.status == 200, told
        decided_by, shown = await self._ask(self._wire.post(json.dumps({"visitorId": visitor, "page": PAGE}).encode()))
        self.pairs[by, decided_by] += 1
        if (b'"Edition 1"' in shown.body) != (employees < 50):
            self.late.append(f"{visitor}, {employees}: {shown}")

    async def _ask(self, request: bytes) -> tuple[int | None, Any]:
        wire = await self._wire.Wire.open(self._address)
        answer = await wire.ask(request)
        worker = worker_of(self._wire, self._workers, wire.port)
        await wire.close()
        return worker, answer


@pytest.mark.parametrize("visitors", [40, pytest.param(400, marks=pytest.mark.long)])
def test_a_trait_is_in_the_next_decision(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, sending: Any, until: Any, visitors: int
) -> None:
    """Whichever worker was told, and whichever is asked."""
    source = sending.Source(tmp_path / "data", wire)
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: wire.all_up(service, 2))
    pairs = Pairs(service, source, wire)

    async def all_at_once() -> None:
        each = visitors // CLIENTS
        await asyncio.gather(*(pairs.visitors(n * each, each) for n in range(CLIENTS)))

    asyncio.run(all_at_once())
    known = {pair: times for pair, times in pairs.pairs.items() if None not in pair}
    print(f"{3 * visitors} traits sent and asked for at once, by pairs of workers {sorted(known.values())}")
    assert pairs.late == []
    assert len(known) == 4
    assert service.end() == 0


def mutated(body: bytes, chance: random.Random) -> bytes:
    """The body with some bytes changed, taken out, doubled, or put in."""
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at, length = chance.randrange(len(changed)), chance.choice((1, 1, 3, 40))
        piece = bytes(changed[at : at + length])
        changed[at : at + length] = chance.choice(
            (b"", piece + piece, chance.randbytes(length), chance.choice((b'"', b"{", b"]", b"null", b"1e999", b"\\")))
        )
    return bytes(changed)


def bad_messages() -> dict[str, str]:
    """One for each way in which a message can be bad, as text of JSON or none."""
    person = '"type":"identify","userId":"bad"'
    return {
        "deep": f'{{{person},"traits":{{"a":{"[" * 500}{"]" * 500}}}}}',
        "keys": json.dumps({"type": "identify", "userId": "bad", "traits": {f"k{n}": n for n in range(10_000)}}),
        "many-keys": json.dumps({"type": "identify", "userId": "bad", "traits": {f"k{n}": n for n in range(1_500)}}),
        "nan": f'{{{person},"traits":{{"a":NaN}}}}',
        "infinite": f'{{{person},"traits":{{"a":1e999}}}}',
        "surrogate-id": '{"type":"identify","userId":"\\ud800"}',
        "long-id": json.dumps({"type": "identify", "userId": "u" * 600}),
        "long": json.dumps({"type": "identify", "userId": "bad", "traits": {"a": "x" * 40_000}}),
        "nobody": '{"type":"identify","traits":{}}',
        "no-type": '{"userId":"bad"}',
        "deletion": '{"type":"delete","userId":"u1"}',
        "no-object": "[1, 2]",
        "null": "null",
        "traits": '{"type":"identify","userId":"bad","traits":"no"}',
    }


def bad_bodies(good: bytes) -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    """Requests that are bad as a whole: what it is, the body, its headers."""
    packed = "content-encoding: gzip"
    yield "bomb", gzip.compress(b'{"batch":[' + b" " * 50_000_000), (packed,)
    yield "cut gzip", gzip.compress(good)[:-20], (packed,)
    yield "no gzip", good, (packed,)
    yield "zlib", zlib.compress(good), ("content-encoding: deflate",)
    yield "no UTF-8", good.replace(b"identify", b"ident\xff\xfe", 1)[:-1] + b"\xc3", ()
    yield "deep", b"[" * 200_000, ()
    yield "deep object", b'{"batch":' * 50_000, ()
    yield "nothing", b"", ()
    yield "no batch", b'{"batch":{}}', ()
    yield "too many", b'{"batch":[' + b"1," * 3_000 + b"1]}", ()
    yield "too large", b'{"batch":["' + b"x" * 600_000 + b'"]}', ()


class Bad:
    """A client that sends what is bad; `good` are the ids of good messages in batches that were taken."""

    def __init__(self, source: Any, wire: Any, seed: int) -> None:
        self._source, self._wire = source, wire
        self._chance = random.Random(seed)
        self.good: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []

    async def send(self, address: tuple[str, int], rounds: int) -> None:
        """Everything that is bad, so many times."""
        for _ in range(rounds):
            for what, request, allowed in [*self._mixed(), *self._whole(), *self._mutations(20)]:
                [answer] = await self._wire.each(address, [request])
                self.statuses[answer.status] += 1
                if answer.status not in allowed:
                    self.wrong.append(f"{what}: {answer}")

    def _mixed(self) -> Iterator[tuple[str, bytes, set[int]]]:
        """A batch of good messages for each bad one, which stands somewhere between them."""
        for what, text in bad_messages().items():
            ids, request = self._source.batch()
            self.good.update(ids)
            body = request.partition(b"\r\n\r\n")[2]
            before, middle, after = body.partition(b'}, {"type"')
            yield what, self._post(b"%b}, %b, {%b%b" % (before, text.encode(), middle[4:], after)), {200}

    def _whole(self) -> Iterator[tuple[str, bytes, set[int]]]:
        good = json.dumps({"batch": [{"type": "identify", "userId": "bad", "messageId": "bad"}]}).encode()
        for what, body, headers in bad_bodies(good):
            yield what, self._post(body, *headers), {400}
        yield "no key", self._wire.post(good, path="/v1/batch"), {401}
        yield "wrong key", self._wire.post(good, "authorization: Basic AAAA", path="/v1/batch"), {401}

    def _mutations(self, count: int) -> Iterator[tuple[str, bytes, set[int]]]:
        for _ in range(count):
            body = json.dumps({"batch": [{"type": "identify", "userId": "x", "traits": {"a": [1, "ü", None]}}] * 5})
            raw = mutated(body.encode(), self._chance)
            yield f"mutation {raw!r}", self._post(raw), {200, 400}

    def _post(self, body: bytes, *headers: str) -> bytes:
        post: bytes = self._wire.post(body, self._source.basic, *headers, path="/v1/batch")
        return post


@pytest.mark.parametrize("rounds", [1, pytest.param(40, marks=pytest.mark.long)])
def test_bad_input_costs_nobody(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, sending: Any, until: Any, rounds: int
) -> None:
    """Under load: no fault of ours, and every good message is kept, also those beside a bad one."""
    source = sending.Source(tmp_path / "data", wire)
    broken = sending.Source(tmp_path / "data", wire, name="broken", size=6)
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: wire.all_up(service, 2))
    clients = [Bad(broken, wire, seed) for seed in range(3)]

    async def send() -> None:
        await asyncio.gather(*(client.send(wire.at(service.url), rounds) for client in clients))

    source.beside(wire.at(service.url), CLIENTS, send)
    statuses = sum((client.statuses for client in clients), Counter())
    good = set().union(*(client.good for client in clients))
    print(
        f"bad requests answered {dict(statuses)}, beside {len(source.acknowledged)} good messages; {len(good)} within"
    )
    assert [wrong for client in clients for wrong in client.wrong] == []
    assert service.end() == 0
    assert not any("Traceback" in line or "failed" in line for line in service.log), service.log
    assert good <= sending.messages(source.data, "broken")[0]
    source.check(tmp_path / "replayed")
