"""`mutiny-edge doctor`: a line a check, and exit code 1 for trouble."""

import json
import shutil
from contextlib import closing

from engine.cli.checkup_links import LINKS
from engine.profiles.lmdb import LmdbStore
from engine.segment.restoring import catch_up
from engine.segment.sources import Sources

WARNED = ("sources", "email", "goals")  # by the events in `sent`, which are from June 2026


def test_a_new_place_is_in_order(run, house, tmp_path):
    """Nothing stored yet is no trouble, and nothing is made."""
    done = run("doctor", "--rules", house / "rules")
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert not (tmp_path / "data").exists()


def test_one_of_a_kind_is_one(run, tmp_path):
    """One experience, one segment, one record, one line."""
    (tmp_path / "rules").mkdir()
    variant = "{key: v, changes: [{selector: h1, text: x}]}"
    (tmp_path / "rules" / "a.yaml").write_text(
        "segments: {s: {name: S, when: traits.n > 1}}\n"
        f"experiences: {{e: {{name: E, pages: ['/'], audiences: [{{segment: s, variants: [{variant}]}}]}}}}\n"
    )
    assert "1 line, 1 imported" in run("import", "-", stdin='{"visitorId": "ada", "traits": {"n": 1}}\n').stderr
    said = run("doctor").stdout
    assert "1 experience, 1 segment (" in said
    assert "1 record, " in said


def test_trouble_comes_with_what_to_do(run, tmp_path):
    """Broken rules without a last good ruleset; exit code 1."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("segments: 5\n")
    done = run("doctor")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("trouble  rules      1 error in rules: rules/a.yaml:1: ")
    assert lines[1].split() == ["mutiny-edge", "check", "shows", "all", "of", "them"]


def test_damage_is_named(run, house, tmp_path):
    """A damaged record, by number, with the command that says which; for programs too."""
    run("import", "-", stdin='{"visitorId": "ada", "traits": {"plan": "secret"}}\n')
    data = tmp_path / "data" / "profiles" / "data.mdb"
    data.write_bytes(data.read_bytes().replace(b"secret", b"sekret"))
    done = run("doctor", "--rules", house / "rules", "--format", "json")
    assert done.returncode == 1
    [found] = [finding for finding in json.loads(done.stdout) if finding["check"] == "records"]
    assert found["state"] == "trouble"
    assert found["text"].startswith("1 record is damaged")
    assert "mutiny-edge store verify" in found["do"]


def test_a_store_that_cannot_be_opened_is_trouble(run, house, tmp_path):
    """The line says what is wrong, the next one what to do."""
    run("import", "-", stdin='{"visitorId": "ada"}\n')
    data = tmp_path / "data" / "profiles" / "data.mdb"
    data.write_bytes(b"")
    done = run("doctor", "--rules", house / "rules")
    assert done.returncode == 1
    assert "trouble  store      data/profiles/data.mdb was emptied (0 bytes)\n" in done.stdout
    assert "restore data/profiles from a backup" in done.stdout


def test_the_chain_from_segment(run, house, tmp_path):
    """What was sent is looked through link by link; a warning says what to do, and is no reason to fail."""
    shutil.copytree(house / "tests" / "cli" / "sent", tmp_path / "data")
    with closing(LmdbStore(tmp_path / "data" / "profiles")) as store:
        catch_up(tmp_path / "data" / "events", store)
    Sources(tmp_path / "data").add("website", "website")
    done = run("doctor", "--rules", house / "rules", "--format", "json")
    found = {finding["check"]: finding for finding in json.loads(done.stdout)}
    states = {name: found[name]["state"] for name in LINKS}
    assert (done.returncode, states) == (0, dict.fromkeys(LINKS, "ok") | dict.fromkeys(WARNED, "warning"))
    assert found["email"]["text"] == "the email is sent as `Email` (backend)"
    assert found["goals"]["text"] == "never seen: `Order Completed`, `Demo Booked`"


def test_a_source_that_has_sent_nothing(run, house, tmp_path):
    """From here on somebody waits for it: what to do with its key."""
    Sources(tmp_path / "data").add("website", "website")
    done = run("doctor", "--rules", house / "rules")
    assert done.returncode == 0
    assert "warning  sources    last heard: website never\n" in done.stdout
    assert "point website here with the key" in done.stdout
