"""The visitors of a store, for the verbs that look at many of them."""

from pathlib import Path

import pytest

from engine.cli.screen import CannotRun
from engine.cli.stored import Visitors, bar, left_out, of_them, visitors
from engine.node import open_store
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED
from engine.review.sampling import Sample
from engine.settings import Settings


class Damaged:
    """A store in which one record cannot be trusted."""

    def __init__(self, store, id_):
        self._store, self._key = store, key("visitor", id_)

    def get(self, keys):
        """The records, one of them damaged."""
        return [DAMAGED if key == self._key else found for key, found in zip(keys, self._store.get(keys), strict=True)]

    def chain(self, first, following):
        """The records that follow each other; none follows the damaged one."""
        return [DAMAGED] if first == self._key else self._store.chain(first, following)


@pytest.fixture
def settings(tmp_path) -> Settings:
    """A store with nine visitors and an account."""
    settings = Settings(data=tmp_path / "data")
    store = open_store(settings)
    store.apply([Change(key("visitor", f"v{number}"), 1, {"n": number}) for number in range(9)])
    store.apply([Change(key("group", "g"), 1, {"n": 1})])
    store.close()
    return settings


def test_visitors_alone(settings):
    """Every visitor once, no other record; with what is stored of them."""
    with visitors(settings, None) as chosen:
        profiles = list(chosen.profiles())
    assert [(profile.visitor_id, profile.traits) for profile in profiles] == [(f"v{n}", {"n": n}) for n in range(9)]
    assert (chosen.chosen.is_all, chosen.damaged) == (True, 0)


def test_a_sample_of_them(settings):
    """As many as asked for, and how many there are."""
    with visitors(settings, 4) as chosen:
        assert len(list(chosen.profiles())) == 4
    assert chosen.chosen.total == 9


def test_damaged_records_are_left_out(settings):
    """Whoever cannot be read is counted, and is no visitor without traits."""
    store = open_store(settings)
    chosen = Visitors(Damaged(store, "v3"), Sample(("v2", "v3", "v4"), 3))
    assert [profile.visitor_id for profile in chosen.profiles()] == ["v2", "v4"]
    assert chosen.damaged == 1
    assert left_out(1) == "1 left out: their records are damaged"
    assert left_out(0) == ""
    store.close()


def test_a_question_makes_no_store(tmp_path):
    """Without a data folder there is nothing to ask, and none is made."""
    with pytest.raises(CannotRun, match="mutiny-edge import"), visitors(Settings(data=tmp_path / "data"), None):
        pass
    assert list(Path(tmp_path).iterdir()) == []


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (Sample(("a",), 1), "1 stored visitor"),
        (Sample((), 0), "0 stored visitors"),
        (Sample(("a", "b"), 3_000), "a sample of 2 of 3,000 stored visitors"),
    ],
)
def test_in_words(sample, words):
    """How many there are, and how many of them were looked at."""
    assert of_them(sample) == words


def test_quiet_in_a_pipe(capsys):
    """No terminal, no bar; the items are the same."""
    assert list(bar("abc", 3, "letters")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
