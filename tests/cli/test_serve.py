"""`mutiny-edge serve`: starts, says where, answers, and ends politely. What it answers is tests/web's."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer
from urllib.request import ProxyHandler, build_opener

import pytest
import re2

RECIPE = re2.compile(r"\w*KEY=\$\([^>]*sha256sum[^>]*> ")  # of a hash for a file of admin keys; the file's name follows


@pytest.fixture
def start(program, with_us, surroundings, house, tmp_path):
    """A `mutiny-edge serve` on a free port, which has only begun."""
    children = {}

    def start(*more: str, stdout: int = subprocess.PIPE, closed: str = ""):
        command = [*with_us, program, "serve", "--rules", house / "rules", "--port", "0", "--drain", "0", *more]
        if closed:
            command = ["bash", "-c", f'exec "$@" {closed}', "bash", *command]
        child = subprocess.Popen(
            command, cwd=tmp_path, env=surroundings, stdout=stdout, stderr=subprocess.PIPE, text=True
        )
        children[child] = Timer(60, child.kill)  # no test measures time; this only ends what hangs
        children[child].start()
        return child

    yield start
    for child, patience in children.items():
        patience.cancel()
        child.kill()
        child.communicate()


@pytest.fixture
def serve(start):
    """A running one, with the line of its log that says where."""

    def serve(*more: str):
        child = start(*more)
        return child, told(child, "serving http://")

    return serve


def told(child, words: str) -> str:
    """The next line of its log with these words."""
    line = next((line for line in child.stderr if words in line), None)
    assert line is not None, words
    return line


def url_in(line: str) -> str:
    """The URL that a line names."""
    return next(word for word in line.split() if word.startswith("http://"))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_and_ends(serve, ending):
    """The log names the URL, each line of it is JSON, and it is all; a signal ends it with exit code 0."""
    child, line = serve()
    assert json.loads(line)["url"] == url_in(line)
    with build_opener(ProxyHandler({})).open(f"{url_in(line)}/healthz", timeout=60) as response:
        assert json.load(response)["ok"] is True
    child.send_signal(ending)
    log = rest(child)
    assert (child.returncode, child.stdout.read()) == (0, "")
    assert [json.loads(line)["event"] for line in log.splitlines()] == [
        f"{ending.name}: it stops without draining",
        "stopped",
    ]


def test_on_a_terminal_it_greets(start):
    """A line for people, on stdout."""
    ours, theirs = pty.openpty()
    child = start(stdout=theirs)
    os.close(theirs)
    url = url_in(told(child, "serving http://"))
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "mutiny-edge answers at" in shown
    assert url in shown


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_lead_nowhere(start, closed):
    """As a supervisor may begin it: it serves, and none of its files or sockets has the number of such a stream."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    child = start("--port", str(port), closed=closed)

    def listens() -> bool:
        assert child.poll() is None
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    until(listens)
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/healthz", timeout=60) as response:
        assert json.load(response)["ok"] is True
    if sys.platform == "linux":
        for number in range(3):
            leads = str(Path(f"/proc/{child.pid}/fd/{number}").readlink())
            assert leads == os.devnull or leads.startswith("pipe:")
    child.terminate()
    assert (child.wait(timeout=60), child.stdout.read()) == (0, "")


def test_a_busy_port_is_told(serve, run, house):
    """A port that somebody else has: one line, exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--rules", house / "rules", "--port", port)
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistyped_variable_is_told(run, tmp_path):
    """In the words of `config`, before anything else."""
    (tmp_path / "rules").mkdir()
    done = run("serve", env={"MUTINY_EDGE_PROT": "9000"})
    assert "MUTINY_EDGE_PROT is set, and no setting has this name; did you mean `MUTINY_EDGE_PORT`?" in done.stderr
    assert done.returncode == 2  # there are no rules


def test_a_proxy_that_is_none_is_told(run, house):
    """`--trusted-proxies` takes addresses and networks."""
    done = run("serve", "--rules", house / "rules", "--trusted-proxies", "10.0.0.0/8, nonsense", "--port", "0")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def rest(child) -> str:
    """The lines of its log that were not read yet, to its end; also those that came together with one that was read."""
    log = child.stderr.read()
    child.wait(timeout=60)
    return log


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
    log = rest(child)
    assert sha256(OLD.encode()).hexdigest()[:8] in log
    assert "refused unauthorized, from 127.0.0.1" in log
    assert [word for word in (OLD, NEW, "Traceback") if word in log] == []


def test_a_key_file_that_cannot_be_taken_is_told(run, house, tmp_path):
    """Before anything is served: the file, the line, what would be right, not the key; also from the environment."""
    file = keys(tmp_path / "keys", "# ours", "short-secret")
    for given in (["--admin-key-file", file], []):
        env = {} if given else {"MUTINY_EDGE_ADMIN_KEY_FILE": str(file)}
        done = run("serve", "--rules", house / "rules", "--port", "0", *given, env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{file}:2:" in done.stderr
        assert "secrets.token_hex" in done.stderr
        assert [word for word in ("short-secret", "Traceback") if word in done.stderr] == []


def test_the_hash_of_nothing_is_no_key(run, house, tmp_path):
    """What a recipe leaves whose variable was empty: it is told before anything is served."""
    file = keys(tmp_path / "keys", f"sha256:{sha256().hexdigest()}")
    done = run("serve", "--rules", house / "rules", "--port", "0", "--admin-key-file", file)
    assert done.returncode == 2
    assert f"{file}:1:" in done.stderr
    assert "the variable was empty when the hash was made" in done.stderr


def test_a_key_that_cannot_be_made_leaves_no_file(run, house, tmp_path):
    """By the recipe of the guide and of `--help`, where the program that would make it is missing."""
    said = [house.joinpath(f"engine/guide/{page}.md").read_text() for page in ("operate", "deploy")]
    recipes = RECIPE.findall("\n".join((*said, run("serve", "--help").stdout)))
    assert len(recipes) == 5
    for recipe in recipes:
        asked = f"python3() {{ return 127; }}; openssl() {{ return 127; }}; cd {tmp_path}; {recipe}{tmp_path}/made"
        done = subprocess.run(["bash", "-c", asked], check=False, capture_output=True, text=True, timeout=60)
        assert (done.stderr, list(tmp_path.iterdir())) == ("", [])


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
    """SIGHUP replaces workers; the new ones know the keys that are in the file then, or the old if it is broken.

    A successor that knows the keys of an earlier SIGHUP is replaced as well; the log says when all are.
    """
    file = keys(tmp_path / "keys", OLD)
    child, line = serve("--workers", "2", "--admin-key-file", file)
    url = url_in(line)
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [200, 401]
    until(lambda: len(workers_of(child.pid)) == 2)
    child.send_signal(signal.SIGHUP)
    until(lambda: len(workers_of(child.pid)) == 3)
    before = workers_of(child.pid)
    keys(file, NEW)
    child.send_signal(signal.SIGHUP)
    assert told(child, "every worker has been replaced")
    assert not workers_of(child.pid) & before
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [401, 200]
    keys(file, "short")
    child.send_signal(signal.SIGHUP)
    assert told(child, "the admin keys stay as they are")
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [401, 200]


def test_keys_that_are_exchanged_while_it_starts_are_taken(start, tmp_path):
    """SIGHUP comes while it reads the old ones, long before there is a worker to be replaced."""
    file = tmp_path / "keys"
    os.mkfifo(file, 0o600)
    child = start("--workers", "2", "--admin-key-file", file)
    with file.open("w") as old:  # it is open once the service reads it
        old.write(OLD)
        keys(tmp_path / "new", NEW).replace(file)
        child.send_signal(signal.SIGHUP)
    url = url_in(told(child, "serving http://"))
    assert told(child, "every worker has been replaced")
    assert [status(url, key.encode()) for key in (OLD, NEW)] == [401, 200]
