"""`mutiny-edge serve`: starts with a friendly line, answers, and ends politely. What it answers is tests/web's."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest


@pytest.fixture
def serve(program, with_us, surroundings, house, tmp_path):
    """A running `mutiny-edge serve` on a free port, with its first line."""
    children = []

    def serve(*more: str):
        command = [*with_us, program, "serve", "--rules", house / "rules", "--port", "0", "--drain", "0", *more]
        child = subprocess.Popen(
            command, cwd=tmp_path, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        children.append(child)
        return child, child.stdout.readline()

    yield serve
    for child in children:
        child.kill()
        child.communicate()


def url_in(line: str) -> str:
    """The URL that a line names."""
    return next(word for word in line.split() if word.startswith("http://"))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_and_ends(serve, ending):
    """The first line on stdout names the URL; a signal ends it with exit code 0."""
    child, line = serve()
    with build_opener(ProxyHandler({})).open(f"{url_in(line)}/healthz", timeout=60) as response:
        assert json.load(response)["ok"] is True
    child.send_signal(ending)
    assert child.wait(60) == 0, child.stderr.read()


def test_a_busy_port_is_told(serve, run, house):
    """A port that somebody else has: one line, exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--rules", house / "rules", "--port", port)
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_proxy_that_is_none_is_told(run, house):
    """`--trusted-proxies` takes addresses and networks."""
    done = run("serve", "--rules", house / "rules", "--trusted-proxies", "10.0.0.0/8, nonsense", "--port", "0")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


OLD, NEW = "an-old-key-0123456789", "a-new-key-0123456789"
QUESTION = "/v1/explain?visitorId=v1&url=https://www.example.com/"


def status(url: str, shown: bytes | None = None) -> int:
    """What `/v1/explain` answers to this key, over a connection of its own."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    with closing(connection):
        connection.putrequest("GET", QUESTION)
        if shown is not None:
            connection.putheader("Authorization", b"Bearer " + shown)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer.status


def keys(file: Path, *lines: str) -> Path:
    """A key file that its owner alone may read."""
    file.touch(0o600)
    file.write_text("\n".join(lines))
    return file


def test_without_a_key_file_there_is_nothing_for_admins(serve):
    """Neither with a key nor without."""
    url = url_in(serve()[1])
    assert [status(url), status(url, OLD.encode())] == [404, 404]


def test_admins_show_a_key_of_the_file(serve, tmp_path):
    """A plain and a hashed one; other bytes, also such as no text has, are refused; the log names neither."""
    hashed = f"sha256:{sha256(NEW.encode()).hexdigest()}  # new"
    child, line = serve("--admin-key-file", keys(tmp_path / "keys", OLD, hashed))
    url = url_in(line)
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [200, 200]
    assert [status(url, shown) for shown in (None, b"", OLD.encode()[:-1], b"\xff\xe9\x80", b"x" * 9_000)] == [401] * 5
    child.terminate()
    told = child.communicate(timeout=60)[1]
    assert sha256(OLD.encode()).hexdigest()[:8] in told
    assert "refused unauthorized, from 127.0.0.1" in told
    assert [word for word in (OLD, NEW, "Traceback") if word in told] == []


def test_a_key_file_that_cannot_be_taken_is_told(run, house, tmp_path):
    """Before anything is served: the file, the line, what would be right, not the key; also from the environment."""
    file = keys(tmp_path / "keys", "# ours", "short-secret")
    for given in (["--admin-key-file", file], []):
        env = {} if given else {"MUTINY_EDGE_ADMIN_KEY_FILE": str(file)}
        done = run("serve", "--rules", house / "rules", "--port", "0", *given, env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{file}:2:" in done.stderr
        assert "openssl rand" in done.stderr
        assert [word for word in ("short-secret", "Traceback") if word in done.stderr] == []


def until(true: Callable[[], bool]) -> None:
    """Wait for what is bound to happen."""
    deadline = time.monotonic() + 60  # no test measures time; this only ends what hangs
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def workers_of(pid: int) -> set[int]:
    """The worker processes: children that run Python's spawn."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return {child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()}


def test_keys_are_exchanged_without_a_restart(serve, tmp_path):
    """SIGHUP replaces workers; the new ones know the keys that are in the file then, or the old if it is broken."""
    file = keys(tmp_path / "keys", OLD)
    child, line = serve("--workers", "2", "--admin-key-file", file)
    url = url_in(line)
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [200, 401]
    before = workers_of(child.pid)
    keys(file, NEW)
    child.send_signal(signal.SIGHUP)
    until(lambda: len(workers_of(child.pid) - before) == 2 == len(workers_of(child.pid)))
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [401, 200]
    keys(file, "short")
    child.send_signal(signal.SIGHUP)
    assert any("the admin keys stay as they are" in line for line in child.stderr)
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [401, 200]
