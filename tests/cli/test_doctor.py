"""`mutiny-edge doctor`: a line a check, and exit code 1 for trouble."""

import json


def test_a_new_place_is_in_order(run, house, tmp_path):
    """Nothing stored yet is no trouble, and nothing is made."""
    done = run("doctor", "--rules", house / "rules")
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert not (tmp_path / "data").exists()


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
