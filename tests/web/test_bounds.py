"""Each address has its bounds, and says in its own form what is beyond them."""

import pytest

from engine import limits
from engine.web import bounds


@pytest.mark.parametrize(
    ("url", "body_bytes", "who", "form"),
    [
        (b"/v1/decide", limits.DECIDE_BODY_BYTES, "page", "problem"),
        (b"/v1/decide?visitorId=1", limits.DECIDE_BODY_BYTES, "page", "problem"),
        (b"/v1/batch", limits.BATCH_BYTES, "source", "segment"),
        (b"/v1/t", limits.BATCH_BYTES, "source", "segment"),
        (b"/v1/webhook/www", limits.BATCH_BYTES, "source", "segment"),
        (b"/ofrep/v1/evaluate/flags/site", limits.DECIDE_BODY_BYTES, "flags", "ofrep"),
        (b"/healthz", limits.DECIDE_BODY_BYTES, "anybody", "problem"),
        (b"", limits.DECIDE_BODY_BYTES, "anybody", "problem"),
    ],
)
def test_bounds_by_path(url: bytes, body_bytes: int, who: str, form: str) -> None:
    """What is in no table has the bounds of a decision, and tells them to nobody else's page."""
    found = bounds.of_url(url)
    assert (found.body_bytes, found.who, found.form) == (body_bytes, who, form)
    assert found.request_ticks > bounds.OTHER.request_ticks or form != "segment"


def test_what_is_beyond_them_has_a_code_and_a_figure() -> None:
    """So that whoever reads it knows what to change."""
    told = [bounds.url_too_long(), bounds.head_too_large(), bounds.body_too_large(bounds.OTHER)]
    assert [refused.code for refused in told] == ["url-too-long", "headers-too-large", "body-too-large"]
    assert all(any(character.isdigit() for character in refused.detail) for refused in told)
