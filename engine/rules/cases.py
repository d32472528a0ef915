"""Ops' own tests as written, made into `words.Case`.

What lives here: what is given and expected, looked up and checked. What may not: running them (`engine.decide`).

1. Null is absent: a given trait that is null is left out, at every depth.
2. What a test expects has to exist: an experience, a segment of it, a variant of it. A test about something that
   is not there would pass or fail for the wrong reason.
3. Without `visitorId` a test has the visitor `test`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import re2

from engine import limits, words
from engine.problems import did_you_mean
from engine.rules import shape
from engine.rules.desk import Desk
from engine.rules.document import Path
from engine.rules.notation import scalars, urls
from engine.rules.notation.mistake import Mistake

_VISITOR_ID = re2.compile(rf"[A-Za-z0-9._:-]{{1,{limits.VISITOR_ID_CHARS}}}")
NONE = "none"


def case(desk: Desk, number: int, written: shape.Test, experiences: Mapping[str, shape.Experience]) -> words.Case:
    """The test case; what is wrong with it is on the desk."""
    path: Path = ("tests", number)
    return words.Case(
        name=written.name,
        given=_given(desk, (*path, "given"), written.given),
        expected=_expected(desk, (*path, "expect"), written.expect, experiences),
        place=desk.document.place(path),
    )


def _given(desk: Desk, path: Path, written: shape.Given) -> words.Given:
    salesforce = written.salesforce or shape.Salesforce()
    if written.visitor_id:
        desk.read((*path, "visitorId"), "test", _visitor_id, written.visitor_id)
    desk.read((*path, "page", "url"), "test", _url, written.page.url)
    return words.Given(
        profile=words.Profile(
            visitor_id=written.visitor_id or "",  # none: the case is about anybody
            traits=without_nulls(written.traits),
            account=without_nulls(written.account),
            lead=without_nulls(salesforce.lead),
            contact=without_nulls(salesforce.contact),
        ),
        page=words.Page(written.page.url, written.page.referrer, written.page.title),
        visit=_visit(desk, (*path, "visit"), written),
        now=_time(desk, (*path, "now"), written.now),
    )


def _visit(desk: Desk, path: Path, written: shape.Given) -> words.Visit:
    visit = written.visit or shape.Visit()
    device, geo = written.device or shape.Device(), written.geo or shape.Geo()
    return words.Visit(
        count=visit.count,
        first_seen=_time(desk, (*path, "first_seen"), visit.first_seen),
        new=visit.new,
        device=_texts(type=device.type, language=device.language),
        geo=_texts(country=geo.country, region=geo.region, city=geo.city),
    )


def _texts(**fields: str | None) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text is not None}


def _time(desk: Desk, path: Path, written: str | None) -> datetime | None:
    return desk.read(path, "timestamp", scalars.timestamp, written or "")


def _visitor_id(text: str) -> str:
    if _VISITOR_ID.fullmatch(text) is None:
        hint = f"1 to {limits.VISITOR_ID_CHARS} letters, digits, `.`, `_`, `:` and `-`"
        raise Mistake(f"`{text[:40]}` is no visitor's id", hint)
    return text


def _url(text: str) -> urls.Url:
    url = urls.parse_url(text)
    if url is None:
        raise Mistake(
            f"`{text[:200]}` is no page's URL", "a page's URL is absolute, such as `https://www.example.com/pricing`"
        )
    return url


def without_nulls(value: Any) -> Any:
    """The value without members that are null (null is absent)."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(member) for member in value if member is not None]
    return value


def _expected(
    desk: Desk, path: Path, written: shape.Expect | str, experiences: Mapping[str, shape.Experience]
) -> words.Expected:
    if isinstance(written, str):
        return words.Expected(nothing=True)
    expected = words.Expected(
        experience=written.experience,
        segment=written.segment,
        personalized=written.personalized,
        variant=written.variant,
    )
    if expected == words.Expected():
        desk.say(
            path, "test", "the test expects nothing in particular", "`expect: nothing`, or `expect: {experience: …}`"
        )
    if written.experience and _knows_experience(desk, (*path, "experience"), written.experience, experiences):
        _check_parts(desk, path, written, experiences.get(written.experience))
    elif not written.experience:
        _check_alone(desk, path, written)
    if written.variant and written.personalized is False:
        desk.say(
            (*path, "variant"),
            "test",
            "control visitors see no variant",
            "leave out `variant`, or `personalized: false`",
        )
    return expected


def _knows_experience(desk: Desk, path: Path, word: str, experiences: Mapping[str, shape.Experience]) -> bool:
    for key, known in experiences.items():
        if word == known.name and word not in experiences:
            desk.say(path, "unknown-experience", f"`{word}` is the experience's name, not its key", f"`{key}`")
            return False
    return desk.refer(path, "experience", word, desk.known.experiences)


def _check_alone(desk: Desk, path: Path, written: shape.Expect) -> None:
    if written.segment == NONE:
        desk.say((*path, "segment"), "test", "of which experience?", "`expect: nothing`, or name the `experience`, too")
    elif written.segment:
        desk.refer((*path, "segment"), "segment", written.segment, desk.known.segments)


def _check_parts(desk: Desk, path: Path, written: shape.Expect, experience: shape.Experience | None) -> None:
    """Has the experience such an audience and such a variant?"""
    if experience is None:
        return
    if written.segment and written.segment != NONE:
        segments = [audience.segment for audience in experience.audiences]
        known = written.segment in desk.known.segments
        if known and written.segment not in segments and "" not in segments:
            listed = ", ".join(f"`{segment}`" for segment in segments)
            desk.say(
                (*path, "segment"),
                "test",
                f"`{written.experience}` has no audience `{written.segment}`",
                f"it has {listed}",
            )
        elif not known:
            desk.refer((*path, "segment"), "segment", written.segment, desk.known.segments)
    variants = [variant.key for audience in experience.audiences for variant in audience.variants]
    if written.variant and written.variant not in variants and "" not in variants:
        near = did_you_mean(written.variant, variants)
        listed = ", ".join(f"`{variant}`" for variant in dict.fromkeys(variants))
        desk.say(
            (*path, "variant"),
            "unknown-variant",
            f"`{written.experience}` has no variant `{written.variant}`",
            near or f"it has {listed}",
        )
