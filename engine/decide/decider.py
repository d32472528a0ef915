"""The decision on one page view, as a pure function (DESIGN section 4).

What lives here: the order of the steps. What may not: the steps themselves, I/O, a clock, globals.

1. The URL says which experiences apply (`pages.py`). Nothing applies: nothing else is looked at.
2. Declared traits are coerced (`coerce.py`); the roots are built, of traits, page and visit only what conditions or
   slots of this page ask for (`reads.py`). `view` tells what reads profiles of which no more is there.
3. The page function names the winners: for each experience that decides, the first audience that matches.
   Schedules and exclusion groups are its work: whoever matched ends the search of the group, also a control visitor
   and one who is then held out. Should the function raise, segments are asked one by one (`careful.py`).
4. Holdout, then control or variant (`split.py`), by visitor, user or account; unknown user or account: by visitor.
5. The entry is a constant, or its slots are filled (`render.py`).

6. What most visitors need of all this is one function (`usual.py`), which `known` URLs have in their view: the same
   answer, as bytes.

A decider is immutable but for the memo of pages and its tally (`tally.py`), and may be used by many threads. It is
replaced whole.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from engine.compile.pieces import Rest
from engine.decide.careful import Careful
from engine.decide.coerce import Coercions
from engine.decide.dates import Dates
from engine.decide.flags import Flags
from engine.decide.pages import Match, NotAUrl, Pages, View
from engine.decide.plans import Plan
from engine.decide.render import Roots
from engine.decide.tally import Tally
from engine.decide.usual import Usual, usual, where_nothing_applies
from engine.limits import PAGES_AHEAD
from engine.rules.notation.example_url import example_url, usual_host
from engine.words import Decision, Experience, Page, Profile, Ruleset, SplitBy, Traits, Visit

__all__ = ["Decider", "NotAUrl"]

_NOTHING: Final[dict[str, Any]] = {}  # shared and never written to: a root of which nothing is known


class Decider:
    """A ruleset, ready to decide. Raises ValueError for a ruleset that `check` would have refused."""

    __slots__ = (
        "_careful",
        "_coercions",
        "_pages",
        "_plans",
        "dates",
        "flags",
        "known",
        "known_anywhere",
        "ruleset",
        "tally",
    )

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self._coercions = Coercions(ruleset.traits.values())
        live = (experience for experience in ruleset.experiences.values() if experience.status == "live")
        # What was answered so far, for whoever wants to know.
        self.tally = Tally()
        self._careful = Careful(ruleset.segments, self.tally)
        self._plans = {experience.key: Plan(experience, ruleset, self.tally) for experience in live}
        # No method: what goes round in a circle is never freed.
        short = _Short(self._plans, ruleset.version, self.tally)
        self._pages = Pages(ruleset.experiences.values(), ruleset.segments, self._coercions, short)
        # The view of a URL that was asked for before, or None.
        self.known = self._pages.known
        # What `anywhere` has made before, or None.
        self.known_anywhere = self._pages.known_anywhere
        self.flags = Flags(ruleset)
        self.dates = Dates(ruleset.experiences.values())

    def decide(self, profile: Profile, page: Page, visit: Visit, now: datetime) -> Decision:
        """What this visitor sees on this page at `now` (UTC-aware). Raises `NotAUrl`.

        Where no experience applies to the page, traits are not coerced, and so none is reported unusable.
        """
        return self.decide_on(self._pages.view(page.url), profile, page, visit, now)

    def view(self, url: str) -> View:
        """What decides on this page, and reads the profiles for it. Raises `NotAUrl`."""
        return self._pages.view(url)

    def anywhere(self, key: str | None = None, rest: Rest = lambda: None) -> View:
        """What decides where no page is known, and nothing of one: on this experience and those of its exclusion group,
        as if each applied; None: on all. That first takes as long as compiling all rules; `rest` is called meanwhile.
        """
        return self._pages.anywhere(key, rest)

    def decide_on(self, view: View, profile: Profile, page: Page | None, visit: Visit, now: datetime) -> Decision:
        """As `decide`, of a page whose view is at hand; without a page, all that is known of it is in the view."""
        match = view.match
        if match is None:
            return Decision(profile.visitor_id, self.ruleset.version, (), (), profile.degraded)
        traits, unusable = match.coercions.apply(profile.traits) if match.coercions.some else (profile.traits, ())
        roots = (
            traits,
            profile.account,
            salesforce(profile) if profile.lead or profile.contact else _NOTHING,
            view.fields if page is None or not match.page else _page(view, page),
            _visit(visit) if match.visit else _NOTHING,
            visit.device,
            visit.geo,
            now,
        )
        order = match.order
        try:
            hits = match.function(*roots)
        except Exception as raised:  # noqa: BLE001 - a fault of ours, counted where it is found
            order = match.experiences
            hits = self._careful.hits(match.experiences, roots, raised)
        if not hits:
            return Decision(profile.visitor_id, self.ruleset.version, (), unusable, profile.degraded)
        assignments = []
        for index, audience in hits:
            plan = self._plans[order[index].key]
            unit = unit_of(plan.split_by, profile)
            assignment = plan.assign(audience, unit, partial(_shown, match.coercions, profile, roots))
            if assignment is not None:
                assignments.append(assignment)
        return Decision(profile.visitor_id, self.ruleset.version, tuple(assignments), unusable, profile.degraded)

    def roots(self, profile: Profile, page: Page, visit: Visit, now: datetime) -> tuple[Roots, tuple[str, ...]]:
        """All that a condition could see of this page view, in the order of `ROOTS`, and the unusable traits.

        Raises `NotAUrl`.
        """
        view = self._pages.view(page.url)
        traits, unusable = self._coercions.apply(profile.traits)
        view_of = (_page(view, page), _visit(visit), visit.device, visit.geo, now)
        return (traits, profile.account, salesforce(profile), *view_of), unusable

    def shown(self, profile: Profile, roots: Roots) -> Roots:
        """What slots see: the same, with folded text as it came."""
        return _shown(self._coercions, profile, roots)

    def warm(self, before: "Decider | None" = None, rest: Rest = lambda: None) -> None:
        """Make ready for a page of each page pattern, and for those that visitors asked `before` for.

        Nobody has to wait for what is compiled now. What did not change since `before` is taken over from it. `rest`
        is called often, and may sleep for a moment.
        """
        patterns = tuple(islice(self._pages.patterns(), PAGES_AHEAD))
        host = usual_host(patterns)
        examples = filter(None, (example_url(pattern, host) for pattern in patterns))
        self._pages.warm(examples, None if before is None else before._pages, rest)

    def parts(self) -> list[object]:
        """What it is made of. Who drops these one after the other, and it before them, never frees much at once."""
        ruleset = self.ruleset
        audiences = (audience for experience in ruleset.experiences.values() for audience in experience.audiences)
        prepared = (part for plan in self._plans.values() for part in (*plan.audiences, *plan.draws))
        made = (*self._pages.parts(), *self.flags.parts())
        return [*ruleset.segments.values(), *ruleset.cases, *audiences, *prepared, *made]


class _Short:
    """Makes the short way of a page, if it has one."""

    __slots__ = ("_all", "_plans", "_tally", "_version")

    def __init__(self, plans: Mapping[str, Plan], version: str, tally: Tally) -> None:
        self._plans = plans
        self._version = version
        self._tally = tally
        self._all: list[Plan] = []

    def __call__(self, match: Match | None) -> Usual | None:
        """The short way of the page that has this match."""
        if match is None:
            return where_nothing_applies(self._version, self._tally)
        if match.page or match.visit or match.around or match.coercions.some:
            return None
        own = [self._plans[experience.key] for experience in match.experiences]
        if any(plan.split_by != "visitor" for plan in own):
            return None
        plans = own if len(match.order) == len(own) else self._of_all(match.order)
        return usual(match.function, match.reader, plans, self._version, self._tally, timed=match.now)

    def _of_all(self, order: Sequence[Experience]) -> Sequence[Plan]:
        """Pages that share a function share these."""
        self._all = self._all or [self._plans[experience.key] for experience in order]
        return self._all


def _page(view: View, page: Page) -> dict[str, Any]:
    return {**view.fields, "referrer": page.referrer, "title": page.title}


def unit_of(split_by: SplitBy, profile: Profile) -> str:
    """What is drawn for: the visitor, or the user or account where that is asked for and known."""
    if split_by == "visitor":
        return profile.visitor_id
    known = profile.user_id if split_by == "user" else profile.account_id
    return known or profile.visitor_id


def _shown(coercions: Coercions, profile: Profile, roots: Roots) -> Roots:
    return (coercions.as_written(profile.traits, roots[0]), *roots[1:])


def salesforce(profile: Profile) -> dict[str, Traits]:
    """`lead` and `contact`, each only where there is such a record."""
    if not profile.lead and not profile.contact:
        return _NOTHING
    return {kind: record for kind, record in (("lead", profile.lead), ("contact", profile.contact)) if record}


def _visit(visit: Visit) -> dict[str, Any]:
    """What is known of the visit. Of a count alone it is known whether the visitor is new."""
    known: dict[str, Any] = {}
    new = visit.new
    if visit.count is not None:
        known["count"] = visit.count
        new = visit.count <= 1 if new is None else new
    if visit.first_seen is not None:
        known["first_seen"] = visit.first_seen
    if new is not None:
        known["new"] = new
    return known
