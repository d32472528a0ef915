"""What analytics.js asks before it sends points it here."""

import json

import pytest

from engine.segment.reasons import Unacceptable
from engine.segment.settings import settings


def test_one_destination_and_no_metrics() -> None:
    """The least that makes the library send."""
    assert json.loads(settings("k1", "edge.example.com")) == {
        "integrations": {"Segment.io": {"apiKey": "k1", "apiHost": "edge.example.com/v1", "protocol": "https"}},
        "metrics": {"sampleRate": 0},
    }


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "a-b.example.com"])
def test_hosts(host: str) -> None:
    """A name or an address, perhaps with a port."""
    found = json.loads(settings("k1", host, encrypted=False))["integrations"]["Segment.io"]
    assert (found["apiHost"], found["protocol"]) == (f"{host}/v1", "http")


@pytest.mark.parametrize("host", ["", "a/b", "a@b", "a b", "a:b", "a\n", "é", "[", "a:123456", "x" * 300])
def test_what_is_no_host(host: str) -> None:
    """Nothing that a page could not send to."""
    with pytest.raises(Unacceptable) as refused:
        settings("k1", host)
    assert refused.value.code == "bad-host"
