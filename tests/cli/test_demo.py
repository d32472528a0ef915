"""`mutiny-edge demo`: it works at once, what it prints is true, and nothing is left behind."""

import json
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import re2

from engine.cli.crowd import NAMED, Named


@pytest.fixture
def scratch(tmp_path):
    """Where the demo makes its temporary folder."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def demo(program, with_us, surroundings, scratch):
    """A running demo with few visitors, and the lines that it printed, up to the last one."""
    children = []

    def demo(*more: str, cwd=None, **variables: str):
        command = [*with_us, program, "demo", "--visitors", "200", "--port", "0", *more]
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=surroundings | {"TMPDIR": str(scratch)} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        lines = []
        for line in child.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        return child, lines

    yield demo
    for child in children:
        child.kill()
        child.communicate()


@contextmanager
def ended_at_last(child):
    """A line that never comes is not waited for for ever."""
    ending = threading.Timer(30, child.kill)
    ending.start()
    try:
        yield
    finally:
        ending.cancel()


def fetch(url: str) -> bytes:
    """What the demo's server answers."""
    with build_opener(ProxyHandler({})).open(url, timeout=60) as response:
        return response.read()


def after(lines: list[str], label: str) -> str:
    """What stands behind `Look:`, `Ask:` or `Answer:`."""
    return next(line.partition(label)[2].strip() for line in lines if line.strip().startswith(label))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_nothing_behind(demo, scratch, ending):
    """Ctrl-C, SIGTERM and a closed terminal end it with exit code 0; its folder is gone."""
    child, lines = demo()
    assert lines, child.stderr.read()
    assert list(scratch.iterdir()) != []
    child.send_signal(ending)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert list(scratch.iterdir()) == []


def test_a_signal_before_it_is_up(program, with_us, surroundings, scratch):
    """Ended while it still fills its store, it leaves nothing behind either."""
    child = subprocess.Popen(
        [*with_us, program, "demo", "--visitors", "1000000", "--port", "0"],
        env=surroundings | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not list(scratch.iterdir()) and child.poll() is None:
        time.sleep(0.01)
    child.terminate()
    _, stderr = child.communicate(timeout=60)
    assert b"Traceback" not in stderr
    assert list(scratch.iterdir()) == []


def test_the_answer_is_real(demo):
    """The curl line gives the printed answer: a decision for Ada, personalized with her company's name."""
    _, lines = demo()
    url = after(lines, "Ask:").removeprefix("curl '").removesuffix("'")
    assert fetch(url).decode() == after(lines, "Answer:")
    [decision] = json.loads(after(lines, "Answer:"))["decisions"]
    assert decision["personalized"] is True
    assert "Northbank" in decision["changes"][0]["text"]


def test_the_website_shows_both_groups(demo):
    """The website offers visitors of whom some are personalized, some control, and some neither."""
    _, lines = demo()
    site = after(lines, "Look:")
    assert b"Acme Analytics" in fetch(site)
    groups = {group(site, visitor) for visitor in NAMED}
    assert groups == {"personalized", "control", "nothing"}


def group(site: str, visitor: Named) -> str:
    """What the engine says of a visitor of the home page."""
    question = {
        "visitorId": visitor.visitor_id,
        "page": {"url": "https://www.example.com/"},
        "visit": visitor.visit,
    }
    asked = Request(f"{site}v1/decide", json.dumps(question).encode(), {"Content-Type": "application/json"})
    with build_opener(ProxyHandler({})).open(asked, timeout=60) as response:
        decisions = json.load(response)["decisions"]
    if not decisions:
        return "nothing"
    return "personalized" if decisions[0]["personalized"] else "control"


def test_the_website_has_the_client_and_a_key_of_its_own(demo):
    """What the page says with its key is taken; its preview links are understood."""
    _, lines = demo()
    site = after(lines, "Look:")
    assert b"mutinyEdge" in fetch(site + "client.js")
    key = re2.search('data-write-key="([0-9a-f]{32})"', fetch(site + "pricing").decode()).group(1)
    message = {"type": "track", "event": "Signed Up", "anonymousId": "a"}
    said = Request(
        f"{site}v1/batch", json.dumps({"writeKey": key, "batch": [message]}).encode(), {"Content-Type": "text/plain"}
    )
    with build_opener(ProxyHandler({})).open(said, timeout=60) as response:
        assert json.load(response) == {"success": True}
    previews = json.loads(fetch(site + "previews.json"))
    token = next(one["link"] for one in previews if "hipaa" in one["name"]).partition("=")[2]
    shown = json.loads(fetch(f"{site}v1/decide?visitorId=ada&url=https://www.example.com/&preview={token}"))
    assert (shown["preview"], shown["decisions"][0]["variant"]) == (True, "hipaa")


def test_another_port_if_8080_is_taken(program, surroundings):
    """Without a wish it takes 8080, or a free port if somebody has that."""
    with ExitStack() as taken:
        with suppress(OSError):  # somebody has it already: as good
            taken.enter_context(socket.create_server(("127.0.0.1", 8080)))
        done = subprocess.run(
            [program, "demo", "--visitors", "10", "--once"],
            check=False,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert ":8080/" not in done.stdout


def test_own_rules(demo, tmp_path):
    """`--rules` serves another folder."""
    tmp_path.joinpath("own").mkdir()
    tmp_path.joinpath("own", "none.yaml").write_text("segments: {}\n")
    _, lines = demo("--rules", str(tmp_path / "own"))
    assert json.loads(after(lines, "Answer:"))["decisions"] == []


def test_variables_of_its_options(run, tmp_path):
    """Rules and port may be named by the variables of every command; a port that was asked for and is taken ends it."""
    tmp_path.joinpath("own").mkdir()
    tmp_path.joinpath("own", "none.yaml").write_text("segments: {}\n")
    demo = ("demo", "--visitors", "10", "--once")
    done = run(*demo, "--port", "0", env={"MUTINY_EDGE_RULES": "own"})
    assert "served by the rules in own (0 experiences, 0 segments)" in done.stdout
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(*demo, env={"MUTINY_EDGE_PORT": where.partition(":")[2]})
    assert (done.returncode, done.stdout) == (2, "")
    assert where in done.stderr


def test_the_rules_here_are_served(demo, tmp_path):
    """Where the current folder has rules, an edit of them is what one sees; the demo says whose rules it serves."""
    tmp_path.joinpath("rules").mkdir()
    tmp_path.joinpath("rules", "none.yaml").write_text("segments: {}\n")
    _, lines = demo(cwd=tmp_path)
    assert "served by the rules in rules (0 experiences, 0 segments)" in lines[0]
    assert "Edit the files in rules: changes are served within two seconds." in lines
    assert json.loads(after(lines, "Answer:"))["decisions"] == []


def test_without_rules_here_the_example_is_served(demo, tmp_path):
    """Also beside an empty folder; it says where the example is, and how to come by rules to edit."""
    tmp_path.joinpath("rules").mkdir()
    _, lines = demo(cwd=tmp_path)
    assert json.loads(after(lines, "Answer:"))["decisions"] != []
    assert any(line.startswith("To edit these rules, copy them here and start again: cp -r /") for line in lines)


def test_there_is_something_for_lift(demo, run):
    """Simulated visitors of the experience of the answer; the line that says so is the command for it.

    They are kept by the demo alone: nobody is written into, nor asked of, a store that the variables name.
    """
    child, _ = demo(MUTINY_EDGE_STORE="redis://127.0.0.1:1")
    with ended_at_last(child):
        line = next(line for line in child.stdout if line.strip().startswith("Lift:"))
    command = line.split("mutiny-edge ", 1)[1].split()
    assert command[0] == "lift"
    held = json.loads(run("events", "stats", *command[3:], "--format", "json").stdout)
    assert held["lines"]["events"] > 10_000


def test_once_says_nothing_of_ending_it(run):
    """It is over already."""
    done = run("demo", "--visitors", "10", "--port", "0", "--once")
    assert done.returncode == 0, done.stderr
    assert "Answer:" in done.stdout
    assert "Ctrl-C" not in done.stdout


def test_a_closed_pipe_ends_it(program, surroundings, scratch):
    """`mutiny-edge demo | head -1` ends by itself, quietly, and cleans up."""
    done = subprocess.run(
        ["bash", "-c", f"'{program}' demo --visitors 10 --port 0 | head -n 0"],
        check=False,
        env=surroundings | {"TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert list(scratch.iterdir()) == []


def test_visitors_for_import(run):
    """`--print-visitors` serves nothing: it prints what `import` takes, the same every time."""
    done = run("demo", "--print-visitors", "--visitors", "50")
    assert done.returncode == 0
    assert done.stdout == run("demo", "--print-visitors", "--visitors", "50").stdout
    imported = run("import", "-", stdin=done.stdout)
    assert imported.stderr == "<stdin>: 50 lines, 50 imported, 0 left out\n"
