"""`mutiny-edge audience`: the stored visitors by segment, for people, programs and spreadsheets."""

import csv
import io
import json

import pytest

RULES = """\
segments:
  small: {name: Small company, when: traits.employees < 50}
  paying: {name: Paying, when: traits.plan == "pro", except: traits.staff}
  back: {name: Back again, when: visit.count > 2}
traits:
  employees: {type: number}
"""
VISITORS = [
    {"visitorId": f"v{number:03}", "traits": {"employees": number} | ({"plan": "pro"} if number % 4 == 0 else {})}
    for number in range(200)
] + [{"visitorId": "odd", "traits": {"employees": "many", "plan": "pro", "staff": True}}]


@pytest.fixture
def audience(run, tmp_path):
    """`audience("small", "--format", "json")` over 201 visitors."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yaml").write_text(RULES)
    done = run("import", "-", stdin="\n".join(map(json.dumps, VISITORS)))
    assert done.returncode == 0, done.stderr
    return lambda *arguments, **how: run("audience", *arguments, **how)


def test_for_people(audience):
    """The whole page: figures, why unknown, what only a page view tells, the square."""
    done = audience()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "201 stored visitors\n"
        "\n"
        "segment  match  share  do not  unknown  because of\n"
        "back         0   0.0%       0      201  visit.count (201)\n"
        "paying      50  24.9%       1      150  no traits.plan (150)\n"
        "small       50  24.9%     150        1  unlike traits.employees (1)\n"
        "\n"
        "Only known on a page view, and so unknown here:\n"
        "  back  reads visit.count\n"
        "\n"
        "Whom two segments share:\n"
        "            1   2\n"
        "1  paying  50  13\n"
        "2  small   13  50\n"
        "1 more is smaller or empty (--overlap N shows more).\n"
    )


def test_for_programs(audience):
    """Everything as JSON: counts, fractions, causes, pairs."""
    answer = json.loads(audience("--format", "json").stdout)
    assert (answer["stored"], answer["visitors"], answer["damaged"]) == (201, 201, 0)
    paying = next(segment for segment in answer["segments"] if segment["segment"] == "paying")
    assert paying == {
        "segment": "paying",
        "name": "Paying",
        "matched": 50,
        "share": 50 / 201,
        "margin": 0.0,
        "unmatched": 1,
        "unknown": 150,
        "causes": [{"path": "traits.plan", "why": "absent", "visitors": 150}],
        "pageView": [],
    }
    assert answer["overlap"] == [{"segments": ["paying", "small"], "visitors": 13}]


def test_for_spreadsheets(audience):
    """A row for each segment, a column for each segment that it may share visitors with."""
    rows = list(csv.DictReader(io.StringIO(audience("--format", "csv").stdout)))
    assert [row["segment"] for row in rows] == ["back", "paying", "small"]
    assert (rows[1]["matched"], rows[1]["unknown"], rows[1]["because of"]) == ("50", "150", "no traits.plan (150)")
    assert (rows[1]["with paying"], rows[1]["with small"], rows[0]["page view"]) == ("50", "13", "visit.count")


def test_only_some_segments(audience):
    """Segments by key, in the order in which they are asked for; one that is none is told, with a guess or all."""
    answer = json.loads(audience("small", "back", "--format", "json").stdout)
    assert [segment["segment"] for segment in answer["segments"]] == ["small", "back"]
    done = audience("smal")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mutiny-edge: unknown segment `smal`; did you mean `small`?\n"
    assert audience("nosuch").stderr == "mutiny-edge: unknown segment `nosuch`; there are back, paying, small\n"


def test_a_sample(audience):
    """Of many visitors always the same sample, with margins that hold the truth; `--all` counts everybody."""
    few = audience("--sample", "60", "--format", "json")
    answer = json.loads(few.stdout)
    assert (answer["stored"], answer["visitors"]) == (201, 60)
    small = next(segment for segment in answer["segments"] if segment["segment"] == "small")
    assert 0 < small["margin"] < 0.12
    assert abs(small["share"] - 50 / 201) <= small["margin"]
    assert audience("--sample", "60", "--format", "json").stdout == few.stdout
    assert "±" in audience("--sample", "60").stdout
    assert json.loads(audience("--sample", "60", "--all", "--format", "json").stdout)["visitors"] == 201


def test_the_square_is_as_large_as_asked(audience):
    """`--overlap 0` leaves it out."""
    assert "share:" not in audience("--overlap", "0").stdout


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml")])
def test_a_picture(audience, tmp_path, name, magic):
    """`--plot` writes a file of the kind that its name says, beside the usual output."""
    done = audience("--plot", name)
    assert (done.returncode, done.stderr) == (0, f"drawn: {name}\n")
    assert done.stdout.startswith("201 stored visitors")
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_pictures_that_cannot_be(audience, tmp_path):
    """Another ending, no matplotlib, no such folder: told, exit code 2, and no traceback."""
    (tmp_path / "broken" / "matplotlib").mkdir(parents=True)
    (tmp_path / "broken" / "matplotlib" / "__init__.py").write_text("raise ImportError('not here')")
    for done, word in (
        (audience("--plot", "a.pdf"), ".png or .svg"),
        (audience("--plot", "a.png", env={"PYTHONPATH": str(tmp_path / "broken")}), "pip install 'mutiny-edge[plot]'"),
        (audience("--plot", "gone/a.png"), "gone/a.png: there is no folder gone"),
    ):
        assert done.returncode == 2
        assert word in done.stderr
        assert "Traceback" not in done.stderr


def test_broken_rules(audience, tmp_path):
    """Rule files with errors count nobody; the problems are told."""
    (tmp_path / "rules" / "all.yaml").write_text(RULES.replace("< 50", "and 50"))
    done = audience()
    assert (done.returncode, done.stdout) == (2, "")
    assert "rules/all.yaml:2:" in done.stderr


def test_a_bar_on_a_terminal(on_terminal, audience, tmp_path):
    """A terminal shows how far it is."""
    shown = on_terminal("audience")
    assert "100%" in shown
    assert "201 stored visitors" in shown
