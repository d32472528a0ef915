"""Every verb that reads or writes profiles, over a shared store; and what it says where there is none.

The verbs run in this process, by `main`, as the program calls them.
"""

import json
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from engine.cli.main import main

HOUSE = Path(__file__).parents[2]
RULES = str(HOUSE / "rules")
VIEW = ("--visitor", "ada", "--url", "https://www.example.com/", "--rules", RULES)
LEADS = str(HOUSE / "tests" / "salesforce" / "leads.csv")

# The verb with its arguments, and what it says of what is stored.
VERBS = [
    (("replay",), "6 events of 1 file applied"),
    (("store", "rebuild", "--from-log"), "6 events of 1 file applied"),
    (("store", "stats"), "visitor"),
    (("store", "verify"), "records read, 0 damaged"),
    (("profile", "ada"), "user u-4711"),
    (("traits",), "Signed Up"),
    (("audience", "--rules", RULES), "2 stored visitors"),
    (("explain", *VIEW), "Visitor `ada` sees"),
    (("decide", *VIEW), '"visitorId":"ada"'),
    (("diff", RULES, RULES), "Of 2 stored visitors"),
    (("check", RULES), "no event `Demo Booked` was ever sent"),
    (("doctor", "--rules", RULES), "ok       store"),
    (("import", "bob.ndjson"), "1 line, 1 imported"),
    (("events", "compact"), "6 events of 1 file of lines"),
    (("salesforce", "import", LEADS, "--object", "Lead"), "2 changed in the store"),
    (("salesforce", "replay"), "2 addresses looked at"),
    (("store", "copy", "FROM", "other"), "compared: all of it is there"),
    (("store", "copy", "data", "FROM"), "compared: all of it is there"),
]


@pytest.fixture
def call(tmp_path, monkeypatch):
    """`call(url, "profile", "ada")` in a folder with a log; exit code, and what is printed on either stream."""
    monkeypatch.chdir(tmp_path)
    for name in ("RULES", "DATA", "STORE", "READ_STORE", "WRITE_STORE"):
        monkeypatch.delenv(f"MUTINY_EDGE_{name}", raising=False)
    said = {"visitorId": "bob", "traits": {"email": "ada@northbank.example"}}
    (tmp_path / "bob.ndjson").write_text(json.dumps(said))
    copytree(HOUSE / "tests" / "cli" / "sent" / "events", tmp_path / "data" / "events")

    def call(url, *arguments):
        where = [] if url is None or "copy" in arguments else ["--store", url]
        given = [url if argument == "FROM" else argument for argument in arguments]
        done = CliRunner().invoke(main, [*given, *where])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return call


def test_every_verb(call, valkey_server):
    """One after the other, on the store that those before have filled; the log's folder has a store of its own, too."""
    assert call(None, "replay")[0] == 0
    assert call(valkey_server.url(), "import", "bob.ndjson")[0] == 0
    for arguments, told in VERBS:
        code, said = call(valkey_server.url(), *arguments)
        assert (code, told in said) == (0, True), (arguments, said)


def test_no_server(call, valkey, valkey_server):
    """One line with the address and what is wrong, never a password; exit code 2, of `doctor` 1."""
    for arguments in (("replay",), ("salesforce", "import", LEADS, "--object", "Lead")):
        assert call(None, *arguments)[0] == 0
    valkey_server.ask("ACL", "SETUSER", "edge", "on", ">right", "~*", "+@all")
    nobody = f"redis://127.0.0.1:{valkey.free_port()}"
    for url, told in ((valkey_server.url("edge", "sesame"), "password"), (nobody, f"{nobody} cannot be reached")):
        for arguments, _ in VERBS:
            code, said = call(url, *arguments)
            assert (told in said, "sesame" in said) == (True, False), (arguments, said)
            lines = [line for line in said.splitlines() if told in line]
            assert (code, len(lines)) == (1 if arguments[0] == "doctor" else 2, 1), (arguments, said)
