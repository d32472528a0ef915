"""The shape of a rule file holds every key of the format."""

import msgspec
import pytest

from engine.rules import shape

KEYS: dict[type[msgspec.Struct], str] = {
    shape.RuleFile: "segments traits experiences conversions insertable tests",
    shape.Segment: "name when except",
    shape.Trait: "type default fold",
    shape.Experience: "name pages status schedule holdout split_by exclusion_group priority audiences",
    shape.Schedule: "start end",
    shape.Audience: "segment control salt variants",
    shape.Variant: "key weight changes",
    shape.Change: "selector text html attributes classes style remove insert redirect",
    shape.Classes: "add remove",
    shape.Insert: "position html",
    shape.Conversion: "event where window",
    shape.Test: "name given expect",
    shape.Given: "visitorId traits account salesforce page visit device geo now",
    shape.Expect: "experience segment personalized variant",
}


@pytest.mark.parametrize("struct", KEYS, ids=lambda struct: struct.__name__)
def test_keys_of_the_format(struct: type[msgspec.Struct]) -> None:
    """Each block has exactly the keys of DESIGN section 2."""
    assert {field.encode_name for field in msgspec.structs.fields(struct)} == set(KEYS[struct].split())


def test_defaults_of_the_format() -> None:
    """What is left out is what DESIGN says."""
    audience = shape.Audience(segment="s", variants=[shape.Variant(key="k", changes=[])])
    experience = shape.Experience(name="n", pages=["/"], audiences=[audience])
    assert (audience.control, audience.salt, audience.variants[0].weight) == ("50%", "", 1)
    assert (experience.status, experience.holdout, experience.split_by, experience.priority) == (
        "live",
        "0%",
        "visitor",
        0,
    )
    assert shape.Conversion(event="e").window == "7d"
