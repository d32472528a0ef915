"""Rules that ask Salesforce for what the org does not have; and none that it may well have."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.rules.doubts.fields import Fields, KnownField
from engine.rules.folder import Circumstances, load

LEAD = {
    "NumberOfEmployees": KnownField("number"),
    "Status": KnownField("string", ("Open", "Working", "Closed")),
    "Regions__c": KnownField("list", ("EMEA", "APAC")),
    "CreatedDate": KnownField("timestamp"),
    "IsConverted": KnownField("boolean"),
    "Company": KnownField("string"),
}
LEADS = Fields({"lead": LEAD})
Doubts = Callable[..., list[str]]


@pytest.fixture
def doubts(tmp_path: Path) -> Doubts:
    """`column code message | hint` for every doubt of this kind about a condition."""

    def look(when: str, fields: Fields = LEADS) -> list[str]:
        text = f"segments:\n  s:\n    name: S\n    when: |-\n      {when}\ninsertable: [salesforce.lead.Titel]\n"
        text += "experiences: {e: {name: E, pages: [/], audiences: [{segment: s, variants: [{key: v, changes: ["
        text += "{selector: h1, text: \"{{ salesforce.lead.Titel | default: 'you' }}\"}]}]}]}}\n"
        (tmp_path / "a.yaml").write_text(text, "utf-8")
        found = load(tmp_path, circumstances=Circumstances(fields=lambda: fields)).problems
        assert {problem.severity for problem in found} <= {"warning"}
        codes = {"unknown-field", "field-type", "unknown-value"}
        slots.extend(
            f"{p.place.line}:{p.place.column} {p.message}" for p in found if p.code in codes and p.place.line > 5
        )
        return [
            f"{p.place.column} {p.code} {p.message} | {p.hint}" for p in found if p.code in codes and p.place.line == 5
        ]

    slots: list[str] = []
    look.slots = slots  # type: ignore[attr-defined]
    return look


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (
            "salesforce.lead.NumberOfEmployes > 50",
            "23 unknown-field Salesforce has no field `salesforce.lead.NumberOfEmployes` here | did you mean",
        ),
        (
            "has(salesforce.lead.Zip__c) && salesforce.lead.Zip__c == 'x'",
            "27 unknown-field Salesforce has no field `salesforce.lead.Zip__c` here | right only where",
        ),
        ('salesforce.lead["Zip"] == "x"', "24 unknown-field Salesforce has no field `salesforce.lead.Zip` here"),
        ('"Zip" in salesforce.lead', "8 unknown-field Salesforce has no field `salesforce.lead.Zip` here"),
        (
            "salesforce.lead.NumberOfEmployees == '50'",
            "7 field-type `salesforce.lead.NumberOfEmployees` is compared with a text, but this field holds numbers",
        ),
        (
            "salesforce.lead.CreatedDate > '2026-01-01'",
            "7 field-type `salesforce.lead.CreatedDate` is compared with a text, but this field holds timestamps | co",
        ),
        (
            "salesforce.lead.Regions__c == 'EMEA'",
            "7 field-type `salesforce.lead.Regions__c` is compared with a text, but this field holds lists | `",
        ),
        (
            "salesforce.lead.Company",
            "7 field-type `salesforce.lead.Company` is asked for true or false, but this field holds texts",
        ),
        (
            "salesforce.lead.IsConverted.startsWith('t')",
            "7 field-type `salesforce.lead.IsConverted` is asked for a text, but this field holds true or false",
        ),
        (
            "salesforce.lead.Status == 'working'",
            "33 unknown-value the picklist `salesforce.lead.Status` has no value `working` | did you mean `Working`?",
        ),
        (
            "salesforce.lead.Status in ['Open', 'Nurture']",
            "42 unknown-value the picklist `salesforce.lead.Status` has no value `Nurture` | it has `Open`, `Working`",
        ),
        (
            "'LATAM' in salesforce.lead.Regions__c",
            "7 unknown-value the picklist `salesforce.lead.Regions__c` has no value `LATAM` | it has `EMEA`, `APAC`",
        ),
        (
            "salesforce.lead.Regions__c[0] == 'EMAE'",
            "40 unknown-value the picklist `salesforce.lead.Regions__c` has no value `EMAE` | did you mean `EMEA`?",
        ),
        (
            "salesforce.lead.Regions__c.exists(x, x == 'EMAE')",
            "49 unknown-value the picklist `salesforce.lead.Regions__c` has no value `EMAE` | did you mean `EMEA`?",
        ),
        ("salesforce.lead.Status != 'Lost'", "33 unknown-value the picklist `salesforce.lead.Status` has no value `Lo"),
    ],
)
def test_what_the_org_does_not_have(doubts: Doubts, when: str, expected: str) -> None:
    """Each said once, at its place, with what would be right where that is plain."""
    (line,) = doubts(when)
    assert line.startswith(expected)


@pytest.mark.parametrize(
    "when",
    [
        "salesforce.lead.NumberOfEmployees > 50 && salesforce.lead.Status == 'Open' && salesforce.lead.IsConverted",
        "'EMEA' in salesforce.lead.Regions__c || salesforce.lead.Regions__c.exists(r, r == 'APAC')",
        "salesforce.lead.CreatedDate > now - duration('24h') && salesforce.lead.Company.startsWith('A')",
        "salesforce.lead.Status != '' && salesforce.lead.Company == 'Lost'",
        "salesforce.contact.Anything == 3 && has(salesforce.lead)",
        "salesforce.lead.Regions__c.exists(x, ['y'].exists(x, x == 'y')) && salesforce.lead.Regions__c[0] == 'APAC'",
        "[1].exists(salesforce, salesforce == 1) && traits.plan == 'x'",
    ],
)
def test_no_false_alarms(doubts: Doubts, when: str) -> None:
    """What the org has, and what nobody knows of."""
    assert doubts(when) == []


def test_nothing_is_known(doubts: Doubts) -> None:
    """Without a sync nothing is said."""
    assert doubts("salesforce.lead.Nope == 1", Fields({})) == []


def test_what_would_be_right(doubts: Doubts) -> None:
    """Where that is plain, it can be pasted."""
    assert doubts("salesforce.lead.NumberOfEmployees == '50'")[0].endswith(
        "| `salesforce.lead.NumberOfEmployees == 50`"
    )
    assert doubts("salesforce.lead.Regions__c == 'EMEA'")[0].endswith('| `"EMEA" in salesforce.lead.Regions__c`')


def test_slots(doubts: Doubts) -> None:
    """At the slot, and where it is allowed."""
    doubts("salesforce.lead.IsConverted")
    found = sorted(doubts.slots)  # type: ignore[attr-defined]
    assert [slot.partition(":")[0] for slot in found] == ["6", "7"]
    assert all(slot.endswith("Salesforce has no field `salesforce.lead.Titel` here") for slot in found)
