"""The fields of Lead and Contact, as the org describes them. Pure.

What lives here: which fields are read, of what kind their values are, and the table of those that every org has. What
may not: values (`typed`), questions (`soql`).

1. Every field that the user may read is taken, none has to be mapped. Left out are compound fields (`address`,
   `location`), whose parts are fields of their own, and `base64`.
2. The kinds are those of conditions. Of numbers, those without decimals (`scale` 0) become whole numbers.
3. Without a description (an export is all there is) the well-known names have the types that every org gives them; the
   others are found out from their values (`exports`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from engine.salesforce.trouble import Odd, Refused

Object: TypeAlias = Literal["Lead", "Contact"]
FieldKind: TypeAlias = Literal["string", "number", "boolean", "timestamp", "list"]

OBJECTS: Final[tuple[Object, ...]] = get_args(Object)
HIDDEN: Final = "HIDDEN_FIELDS"  # of a refusal that is ours
LEFT_OUT: Final = frozenset({"address", "location", "base64", "complexvalue"})
NEEDED: Final[dict[Object, tuple[str, ...]]] = {
    "Lead": ("Id", "Email", "SystemModstamp", "IsDeleted", "IsConverted", "ConvertedContactId"),
    "Contact": ("Id", "Email", "SystemModstamp", "IsDeleted"),
}
_KINDS: Final[dict[str, FieldKind]] = {
    "boolean": "boolean", "int": "number", "long": "number", "double": "number", "currency": "number",
    "percent": "number", "date": "timestamp", "datetime": "timestamp", "multipicklist": "list",
}  # fmt: skip
_WHOLE: Final = frozenset({"int", "long"})
_STANDARD: Final[dict[str, str]] = {
    "reference": "MasterRecordId OwnerId CreatedById LastModifiedById ConvertedAccountId ConvertedContactId AccountId "
    "ConvertedOpportunityId ReportsToId RecordTypeId IndividualId",
    "boolean": "IsDeleted IsConverted IsUnreadByOwner HasOptedOutOfEmail DoNotCall HasOptedOutOfFax IsEmailBounced "
    "IsPriorityRecord",
    "datetime": "CreatedDate LastModifiedDate SystemModstamp LastViewedDate LastReferencedDate EmailBouncedDate "
    "LastTransferDate LastCURequestDate LastCUUpdateDate FirstCallDateTime FirstEmailDateTime",
    "date": "ConvertedDate LastActivityDate Birthdate",
    "int": "NumberOfEmployees",
    "double": "Latitude Longitude MailingLatitude MailingLongitude OtherLatitude OtherLongitude",
    "currency": "AnnualRevenue",
    "string": "Name FirstName LastName MiddleName Suffix Salutation Title Company Street City State PostalCode Country "
    "StateCode CountryCode Phone MobilePhone Fax Email Website PhotoUrl Description LeadSource Status Industry Rating "
    "Jigsaw JigsawContactId EmailBouncedReason Department AssistantName AssistantPhone HomePhone OtherPhone "
    "MailingStreet MailingCity MailingState MailingPostalCode MailingCountry OtherStreet OtherCity OtherState "
    "OtherPostalCode OtherCountry CleanStatus CompanyDunsNumber GeocodeAccuracy SicDesc NaicsCode TickerSymbol",
    "id": "Id",
}


class Field(Struct, frozen=True, omit_defaults=True):
    """One field: its name in the API, its type in Salesforce's words, and of a picklist every value that there is."""

    name: str
    type: str
    label: str = ""
    calculated: bool = False
    scale: int = 0
    values: tuple[str, ...] = ()

    @property
    def kind(self) -> FieldKind:
        """What its values are in conditions."""
        return _KINDS.get(self.type, "string")

    @property
    def is_whole(self) -> bool:
        """Are its values numbers without decimals?"""
        return self.type in _WHOLE or self.scale == 0

    @property
    def form(self) -> tuple[str, str, int, bool]:
        """What decides how its values are read, and when again."""
        return self.name, self.type, self.scale, self.calculated


class _Pick(Struct):
    value: str | None = None


class _Described(Struct, rename="camel"):
    name: str
    type: str
    label: str | None = None
    calculated: bool | None = None
    scale: int | None = None
    picklist_values: tuple[_Pick, ...] | None = None


class _Description(Struct):
    fields: tuple[_Described, ...]


def described(object_: Object, answer: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields in a description that can be read, by name. Raises Refused where those that are needed are not."""
    try:
        described_ = msgspec.convert(answer, _Description).fields
    except msgspec.ValidationError as error:
        raise Odd(f"{object_}: a description is not what Salesforce was asked for ({error}); run it again") from None
    found = [_field(one) for one in described_ if one.type not in LEFT_OUT]
    names = {field.name for field in found}
    hidden = [name for name in NEEDED[object_] if name not in names]
    if hidden:
        do = "let its permission set read them"
        raise Refused(HIDDEN, f"{object_}: this user may not read {', '.join(hidden)}; {do}")
    return tuple(sorted(found, key=lambda field: field.name))


def _field(one: "_Described") -> Field:
    values = tuple(entry.value for entry in one.picklist_values or () if entry.value)
    return Field(one.name, one.type, one.label or "", bool(one.calculated), one.scale or 0, values)


def formulas(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Those whose value changes without the record being changed."""
    return tuple(field for field in fields if field.calculated)


def is_same(before: Iterable[Field], after: Iterable[Field]) -> bool:
    """Would every value be read as before? Labels and picklist values do not matter for that."""
    return {field.form for field in before} == {field.form for field in after}


STANDARD: Final[dict[str, Field]] = {
    name.lower(): Field(name, type_, scale={"double": 15, "currency": 2}.get(type_, 0))
    for type_, names in _STANDARD.items()
    for name in names.split()
}
