"""`mutiny-edge store`: what it counts, and what it says of damage."""

import json
from hashlib import sha256

import pytest


@pytest.fixture
def stored(run, tmp_path):
    """A data folder with 300 visitors and one account; the data file."""
    lines = [json.dumps({"visitorId": f"v{n}", "traits": {"plan": f"secret{n}"}}) + "\n" for n in range(300)]
    account = '{"visitorId": "v1", "account": {"id": "acme", "name": "Acme"}}\n'
    assert run("import", "-", stdin="".join([*lines, account])).returncode == 0
    return tmp_path / "data" / "profiles" / "data.mdb"


def test_stats_counts(run, stored):
    """Records of each kind, the size, readers, damage."""
    said = run("store", "stats").stdout
    assert said.splitlines()[0].split() == ["kind", "records", "bytes"]
    assert ["visitor", "300"] in [line.split()[:2] for line in said.splitlines()]
    assert "of its map" in said
    assert "readers: 1 of 1,024" in said
    assert "damaged: 0" in said


def test_stats_for_programs(run, stored):
    """The same as JSON."""
    said = json.loads(run("store", "stats", "--format", "json").stdout)
    assert said["kinds"]["visitor"]["records"] == 300
    assert said["map_bytes"] >= said["used_bytes"] == stored.stat().st_size
    assert (said["readers"], said["readers_most"], said["damaged"]) == (1, 1024, 0)


def test_a_whole_store_is_in_order(run, stored):
    """Exit code 0, and how many records were read."""
    done = run("store", "verify")
    assert (done.returncode, done.stdout) == (0, "")
    assert "records read, 0 damaged" in done.stderr


def test_damaged_records_are_told_without_their_ids(run, stored):
    """Kind and hash, no trait; what to do; exit code 1."""
    stored.write_bytes(stored.read_bytes().replace(b"secret77", b"sekret77"))
    done = run("store", "verify")
    assert done.returncode == 1
    assert done.stdout == f"visitor {sha256(b'v77').hexdigest()[:12]}: its checksum or its type does not fit\n"
    assert "mutiny-edge store rebuild --from-log" in done.stderr
    assert "ret77" not in done.stdout + done.stderr
    said = json.loads(run("store", "verify", "--format", "json").stdout)
    assert [bad["kind"] for bad in said["damaged"]] == ["visitor"]
    assert "damaged: 1" in run("store", "stats").stdout


def test_a_store_that_would_kill_its_reader_is_refused(run, stored):
    """Pages of zeroes: one line, exit code 1, no death by signal."""
    size = stored.stat().st_size
    stored.write_bytes(stored.read_bytes()[:8192] + bytes(size - 8192))
    done = run("store", "verify")
    assert done.returncode == 1
    assert done.stderr.startswith(f"refused: {stored.relative_to(stored.parents[2])} is damaged")
    assert "restore" in done.stderr
    assert json.loads(run("store", "verify", "--format", "json").stdout)["refused"]
    assert run("store", "stats").returncode == 2


@pytest.mark.parametrize("verb", ["stats", "verify"])
def test_a_question_makes_no_store(run, tmp_path, verb):
    """Where nothing is stored, that is told."""
    done = run("store", verb)
    assert done.returncode == 2
    assert "nothing is stored there" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_bar_on_a_terminal(on_terminal, run, stored):
    """A terminal shows how far it is; a pipe stays quiet."""
    assert "100%" in on_terminal("store", "verify")
    assert "%" not in run("store", "verify").stderr


def test_a_damaged_record_is_healed_from_the_log(run, tmp_path):
    """`rebuild --from-log` says what it did."""
    (tmp_path / "rules").mkdir()
    tmp_path.joinpath("rules", "all.yaml").write_text(
        "segments: {s: {name: S, when: traits.n > 1}}\nexperiences: {e: {name: E, pages: ['/'], audiences: "
        "[{segment: s, variants: [{key: v, changes: [{selector: h1, text: x}]}]}]}}\nconversions: {c: {event: C}}\n"
    )
    assert run("simulate", "--visitors", "20").returncode == 0
    file = tmp_path / "data" / "profiles" / "data.mdb"
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b"simulated-website identify", b"simulated-website Identify"))
    done = run("store", "rebuild", "--from-log")
    assert done.returncode == 0, done.stderr
    assert "events of 1 file applied, 0 damaged lines left out" in done.stderr
    assert run("store", "verify").returncode == 0
