"""`mutiny-edge demo`: the whole thing at work, on one machine, in one command, leaving nothing behind.

1. Example rules, a crowd of generated visitors in a store of their own, and the example company's website, on which the
   browser client runs as on any website.
2. The engine is the real one: the store is filled as `import` fills it, and it is served as `serve` serves.
3. What is printed as its answer was asked over HTTP, by the demo itself, from the server that is running.
4. The rules are those that are named, else those in ./rules, so that who edits them sees it; where there are none, the
   example in the package.
5. Once it has answered, visitors of the past are simulated for the experience of that answer, by `mutiny-edge simulate`
   in a process of its own, so that `mutiny-edge lift` has something to say. That process is told no variable of ours:
   made-up visitors never get into a store that one of them names.
6. One temporary folder. Ctrl-C, SIGTERM and a closed terminal end all of it.
"""

import io
import json
import logging.config
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import EADDRINUSE
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import click

from engine.cli import crowd, options
from engine.cli.kinds import Whole
from engine.cli.screen import counted
from engine.cli.site import Site
from engine.cli.trouble import told
from engine.node import Node, utc_now
from engine.profiles.importing import import_lines
from engine.rules.files import rule_files
from engine.segment.sources import Sources
from engine.settings import NAMED, PREFIX, Settings
from engine.web.app import build
from engine.web.serve import Options, bind, log_config, run, url_of

HOST = "127.0.0.1"
PORT = 8080
SIMULATED = ("--visitors", "5000", "--rate", "10%", "--lift", "60%")
PAST = "           5,000 simulated visitors of last month; 10% of control convert, and 60% more of personalized."
ASKED = {"visitorId": "ada", "url": "https://www.example.com/"}

EPILOG = """\b
Examples:
  mutiny-edge demo
  mutiny-edge demo --rules my-rules       these rules; edit them while it runs
  mutiny-edge demo --print-visitors | mutiny-edge import -
"""


@click.command(epilog=EPILOG)
@options.setting(
    NAMED["rules"], options.RULES, default=None, show_default="./rules, or the example where there are none"
)
@click.option(
    "--visitors",
    metavar="N",
    type=Whole(len(crowd.NAMED), 1_000_000),
    default=3_000,
    show_default=True,
    help="How many there are.",
)
@options.setting(NAMED["port"], Whole(0, 65535), default=None, show_default=f"{PORT}, or a free one")
@click.option("--once", is_flag=True, help="End after the first answer, for scripts.")
@click.option("--print-visitors", "lines_only", is_flag=True, help="Serve nothing; print the visitors for `import`.")
def command(rules: Path | None, visitors: int, port: int | None, once: bool, lines_only: bool) -> None:
    """Show it working: example rules, visitors and a website, served.

    Opens a port on this machine, prints where to look and a real decision. Ctrl-C ends it and leaves nothing behind.
    """
    if lines_only:
        click.echo(crowd_lines(visitors), nl=False)
        return
    rules = rules or own_rules() or example_rules()
    with ended_by_signals(), scratch() as data, told():
        node = Node(Settings(rules, data))
        with closing(node.store), listening_on(port) as listening:
            fill(node, visitors)
            guide = Guide(node, visitors, url_of(listening), once=once)
            how = Options(node.settings, drain_s=0)
            logging.config.dictConfig(log_config(how))
            try:
                run(how, node, Site(build(node), node, write_key(data)), listening, on_started=guide.start)
            finally:
                guide.end()
            guide.finish()


def own_rules() -> Path | None:
    """The rules in the current folder, if there are any."""
    folder = Path("rules")
    return folder if folder.is_dir() and rule_files(folder) else None


def example_rules() -> Path:
    """The example rules: beside this file in an installed package, at the top in a checkout."""
    packaged = Path(__file__).with_name("example")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "rules"


def write_key(data: Path) -> str:
    """The website's key, with which it says what was seen."""
    return Sources(data).add("www", "website")


def fill(node: Node, visitors: int) -> None:
    """The crowd into the store, by the road that `import` takes."""
    import_lines(io.BytesIO(crowd_lines(visitors)), node.store, utc_now())


def crowd_lines(visitors: int) -> bytes:
    """The crowd as a file for `import`."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in crowd.lines(visitors))


@contextmanager
def listening_on(port: int | None) -> Iterator[socket]:
    """The port that was asked for; without a wish 8080, or any free one if that is taken."""
    try:
        listening = bind(HOST, PORT if port is None else port)
    except OSError as error:
        if port is not None or error.errno != EADDRINUSE:
            raise
        listening = bind(HOST, 0)
    with listening:
        yield listening


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Ctrl-C and the other polite signals end the block, from its first line to its last, and end it well."""
    # While the server runs it has its own handlers for SIGINT and SIGTERM; a closed terminal shall end it like SIGTERM.
    handlers = {
        signal.SIGTERM: signal.default_int_handler,
        signal.SIGHUP: lambda number, frame: signal.raise_signal(signal.SIGTERM),  # noqa: ARG005
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder that is gone afterwards, also if the signal comes while it is being made."""
    folder = None
    try:
        with held_back():
            folder = TemporaryDirectory(prefix="mutiny-edge-demo-")
        yield Path(folder.name)
    finally:
        if folder is not None:
            with held_back():
                folder.cleanup()


@contextmanager
def held_back() -> Iterator[None]:
    """Signals wait until the block is over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Guide:
    """What the demo tells: it asks the server like any client, in a thread, once the server is up."""

    def __init__(self, node: Node, visitors: int, url: str, *, once: bool) -> None:
        self._node = node
        self._visitors = visitors
        self._url = url
        self._once = once
        self._failure: OSError | None = None
        self._past = Past(node.settings)

    def start(self) -> None:
        """Called when the server accepts connections."""
        threading.Thread(target=self._tell, daemon=True).start()

    def end(self) -> None:
        """Nothing is written into the folder any more."""
        self._past.end()

    def finish(self) -> None:
        """Raises what kept the demo from telling, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _tell(self) -> None:
        try:
            answer = self._ask()
            click.echo(self._text(answer))
            sys.stdout.flush()
            if not self._once and self._past.simulated(self._experience(answer)):
                click.echo(f"\n  Lift:    {self._lift()}\n{PAST}")
                sys.stdout.flush()
        except OSError as error:  # a closed pipe, or no answer
            self._failure = error
        if self._once or self._failure:
            os.kill(os.getpid(), signal.SIGINT)

    def _ask(self) -> str:
        """A real decision, over HTTP."""
        direct = build_opener(ProxyHandler({}))  # whatever proxy the machine has, our own address needs none
        with direct.open(self._question(), timeout=10) as response:
            return str(response.read().decode())

    def _question(self) -> str:
        return f"{self._url}/v1/decide?{urlencode(ASKED, safe=':/')}"

    def _text(self, answer: str) -> str:
        ruleset = self._node.held.decider.ruleset
        crowd_size = counted(self._visitors, "visitor")
        rules = f"{counted(len(ruleset.experiences), 'experience')}, {counted(len(ruleset.segments), 'segment')}"
        told = (
            f"An example company with {crowd_size}, served by the rules in {self._node.settings.rules} ({rules}).",
            "",
            f"  Look:    {click.style(self._url + '/', bold=True)}",
            f"  Ask:     curl '{self._question()}'",
            f"  Answer:  {answer}",
        )
        if self._once:
            return "\n".join(told)
        return "\n".join((*told, "", self._how_to_edit(), "Ctrl-C ends it and leaves nothing behind."))

    def _experience(self, answer: str) -> str | None:
        """The key of the experience that the answer is about, if it is about any."""
        shown = [decision["experience"] for decision in json.loads(answer)["decisions"]]
        experiences = self._node.held.decider.ruleset.experiences.values()
        return next((one.key for one in experiences if one.name in shown), None)

    def _lift(self) -> str:
        rules, data = (shlex.quote(str(folder)) for folder in (self._node.settings.rules, self._node.settings.data))
        return f"mutiny-edge lift --rules {rules} --data {data}"

    def _how_to_edit(self) -> str:
        """What to do to see other rules at work."""
        folder = self._node.settings.rules
        if folder != example_rules():
            return f"Edit the files in {folder}: changes are served within two seconds."
        return f"To edit these rules, copy them here and start again: cp -r {shlex.quote(str(folder))} rules"


class Past:
    """Visitors who came before, simulated by another process; it may be ended at any time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn = threading.Lock()
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None

    def simulated(self, experience: str | None) -> bool:
        """For this experience; whether all of it is there."""
        if experience is None:
            return False
        call = [sys.executable, "-P", "-c", "from engine.cli.main import main; main()", "simulate", "--add"]
        where = ["--rules", str(self._settings.rules), "--data", str(self._settings.data), "--experience", experience]
        unset = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
        with self._turn:
            if self._ended:
                return False
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*call, *where, *SIMULATED], stdin=quiet, stdout=quiet, stderr=quiet, env=unset
            )
        return self._process.wait() == 0

    def end(self) -> None:
        """Now, wherever it is."""
        with self._turn:
            self._ended = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
