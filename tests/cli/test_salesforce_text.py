"""What is shown of a sync."""

from datetime import UTC, datetime

from engine.cli.salesforce_text import Bars, summary, unusable, usage
from engine.salesforce.state import Outcome, Part

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_summary() -> None:
    """A line an object, one for the store, one for calls; what is unusable below its object."""
    lead = Part("Lead", 1_204, 31, 2, 120_431, {"Score__c": 3})
    contact = Part("Contact", trouble="Contact: no; yes")
    assert list(summary(Outcome(AT, (lead, contact), 1_237, 17, 1_234, 15_000))) == [
        "Lead     1,204 new, 31 changed, 2 gone; 120,431 in all",
        "\x1b[33m         values left out that are none of their field's type: Score__c 3\x1b[0m",
        "Contact  0 new, 0 changed, 0 gone; 0 in all",
        "\x1b[31m         not read to its end: no; yes\x1b[0m",
        "store    1,237 records changed",
        "API      17 calls; 1,234 of the org's 15,000 in 24 hours are used",
    ]


def test_usage_that_is_not_known() -> None:
    """Our own calls."""
    assert usage(Outcome(AT, calls=1)) == "1 call"


def test_very_many_fields() -> None:
    """The most frequent ones."""
    assert unusable({"a": 1, "b": 9, "c": 5, "d": 2}).endswith(": b 9, c 5, d 2 and 1 more")


def test_bars_in_a_pipe_are_quiet(capsys) -> None:
    """Nothing at all."""
    with Bars() as bars:
        bars.tell("Lead", 0, None)
        bars.tell("Lead", 3, 9)
    assert capsys.readouterr() == ("", "")
