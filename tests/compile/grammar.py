"""Generated conditions and visitors: everything that the compiler claims to know, and some that it does not.

1. Few paths and few values, so that conditions meet values of every kind: the right one, a wrong one, none.
2. Values sit on the rims where Python and CEL part: bools beside 0 and 1, NaN, -0.0, 2**53 + 1, the ends of
   64 bits, empty and non-ASCII texts, timestamps as values and as texts, nested maps and lists.
3. Operands are also what nobody means: constants of another kind than is asked, the time, their members. The checker
   lets them pass where it does not know their type (`dyn`, the branches of a choice).
4. A condition is text. What the checker refuses is drawn again.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from engine.cel.parse import CelErrors, parse

NOW = datetime(2026, 11, 23, 15, 0, 0, 123456, tzinfo=UTC)
ROOTS = ("traits", "account", "salesforce", "page", "visit", "device", "geo")
KEYS = ("a", "b", "m", "l")
INDEXED = (
    *("traits.a", "traits.b", "traits.l", "account.a", "traits.m.k"),
    *("traits.a.lowerAscii()", "size(traits.l)", "int(traits.b)", "timestamp(traits.a)"),
)
TEXTS = ("", "a", "b", "ab", "SaaS", "saas", "Ä", "é𝄞", " a\t", "45", "-7", "1.5", "k", "true", "a\nb")
TIMES = (
    "2026-11-23T15:00:00.123456Z",
    "2026-11-23T15:00:00.123456789Z",
    "2026-11-22T00:00:00+01:00",
    "2026-02-30T00:00:00Z",
    "2026-11-23",
    "0001-01-01T00:00:00Z",
    "2026-11-23t15:00:00z",
)
NUMBERS: tuple[int | float, ...] = (
    *(0, 1, -1, 2, 3, 50, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)),
    *(0.0, -0.0, 1.0, 1.5, -2.5, 50.0, 2.0**53, 2.0**63, -(2.0**63), 1e300),
    *(float("nan"), float("inf"), float("-inf")),
)

scalars = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TIMES),
    st.sampled_from(NUMBERS),
    st.booleans(),
    st.sampled_from([NOW, NOW - timedelta(days=3), datetime(1999, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]),
)
elements = st.one_of(
    scalars, st.none(), st.lists(scalars, max_size=2), st.fixed_dictionaries({}, optional={"k": scalars})
)
lists = st.lists(elements, max_size=4)
maps = st.dictionaries(st.sampled_from(["k", "a", "1", "c"]), st.one_of(scalars, lists), max_size=3)
nested = st.dictionaries(st.sampled_from(["k", "a"]), st.one_of(scalars, maps), max_size=2)
values = st.one_of(scalars, scalars, lists, maps, nested)
texts_mostly = st.one_of(st.sampled_from(TEXTS), st.sampled_from(TIMES), st.sampled_from(TEXTS), values)
numbers_mostly = st.one_of(st.sampled_from(NUMBERS), st.integers(-3, 3), st.booleans(), values)
full = st.fixed_dictionaries(
    {"a": texts_mostly, "b": numbers_mostly, "l": st.one_of(lists, lists, values)},
    optional={"m": st.one_of(maps, nested, values)},
)
members = st.one_of(full, full, st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, values)))


@st.composite
def visitors(draw: st.DrawFn) -> tuple[Any, ...]:
    """The roots, in order."""
    records = st.fixed_dictionaries({}, optional={"lead": members, "contact": members})
    maps_ = [draw(records if root == "salesforce" else members if root in _ASKED else st.just({})) for root in ROOTS]
    return (*maps_, NOW)


_ASKED = ("traits", "account")


def short(name: str, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same strategy under a name: Hypothesis writes strategies out in full, and these contain each other."""

    def drawn(draw: st.DrawFn) -> Any:
        return draw(strategy)

    drawn.__name__ = name
    return st.composite(drawn)()


def literal(value: Any) -> str:
    """The constant as CEL writes it."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


finite = tuple(number for number in NUMBERS if number - number == 0)
text_constants = st.sampled_from(TEXTS).map(literal)
number_constants = st.one_of(
    st.sampled_from(finite).map(literal), st.sampled_from(["0u", "2u", "18446744073709551615u"])
)
constants = st.one_of(text_constants, number_constants, st.sampled_from(["true", "false"]))
time_constants = st.sampled_from(TIMES).map(lambda text: f'timestamp("{text}")')
span_constants = st.sampled_from(["0s", "24h", "1h30m", "-1h", "90m", "1.5s", "3000000h"]).map(
    lambda t: f'duration("{t}")'
)

roots = st.sampled_from([*["traits"] * 5, "account", "salesforce.lead", "salesforce.contact"])
keys = st.sampled_from(["a", "a", "b", "b", *KEYS])
flat = st.one_of(
    st.builds("{}.{}".format, roots, keys),
    st.builds('{}["{}"]'.format, roots, keys),
)
paths = short("paths", st.one_of(flat, flat, flat, st.builds("{}.{}".format, flat, st.sampled_from(["k", "a"]))))


questions = st.one_of(paths, st.builds("has({})".format, paths))
constant_lists = st.one_of(
    st.lists(text_constants, max_size=4),
    st.lists(number_constants, max_size=4),
    st.lists(constants, max_size=4).map(lambda c: [f"dyn({x})" for x in c]),
    st.lists(constants, max_size=4),
).map(lambda parts: f"[{', '.join(parts)}]")
strange = short(
    "strange", st.one_of(constants, number_constants, constant_lists, time_constants, span_constants, st.just("now"))
)


def terms(loop: str = "") -> st.SearchStrategy[str]:
    """Operands; inside a loop, mostly about its element."""
    path = st.one_of(st.just(loop), st.just(f"{loop}.k"), paths) if loop else paths
    whole = st.one_of(path, st.sampled_from(["0", "1", "3", "9223372036854775807", "-1"]))
    decimal = st.one_of(path, st.sampled_from(["0.0", "1.5", "-2.0"]))
    return short(
        "terms",
        st.one_of(
            path,
            path,
            path,
            path,
            st.builds("{}.{}()".format, path, st.sampled_from(["lowerAscii", "upperAscii", "trim", "size"])),
            st.builds("size({})".format, path),
            st.builds("{}({})".format, st.sampled_from(["int", "double", "string", "dyn"]), path),
            st.builds("({} {} {})".format, path, st.sampled_from("+-*/%"), whole),
            st.builds("({} {} {})".format, whole, st.sampled_from("+-*/%"), path),
            st.builds("({} {} {})".format, path, st.sampled_from("+-*/"), decimal),
            st.builds("({} + {})".format, path, text_constants),
            st.builds("(-{})".format, path),
            st.builds("{}[{}]".format, path, st.sampled_from(["0", "1", "-1", "7"])),
            st.builds("{}.?{}.orValue({})".format, roots, keys, constants),
            st.builds("{}.?{}.orValue({})".format, path, st.sampled_from(["k", "a"]), constants),
            st.builds("{}.?{}.?k.orValue({})".format, roots, keys, constants),
            st.builds("({} ? {} : {})".format, questions, path, path),
            st.builds("({} ? {} : {})".format, questions, path, strange),
            st.builds("({} ? {} : {})".format, questions, strange, path),
            st.builds("dyn({})".format, strange),
            st.builds("dyn({}).{}".format, strange, keys),
            st.builds("(has({0}) ? {0} : {1}).{2}".format, paths, strange, keys),
            st.builds('dyn({})["{}"]'.format, strange, keys),
            st.builds("dyn({}).?{}.orValue({})".format, strange, keys, constants),
            st.builds("(has({0}) ? {0} : {1})".format, paths, text_constants),
        ),
    )


moments = short(
    "moments",
    st.one_of(
        st.builds("timestamp({})".format, paths),
        st.just("now"),
        time_constants,
        paths,
        st.builds("(now - {})".format, span_constants),
    ),
)
calendar = st.sampled_from(
    ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes"]
)
orders = st.sampled_from(["<", "<=", ">", ">="])
relations = st.one_of(orders, st.sampled_from(["==", "!="]))
patterns = st.sampled_from(["", "a", "^a$", "[0-9]+", "(?i)saas", "a.b", "(", "^$", "\\\\d"]).map('"{}"'.format)


def comparisons(loop: str = "") -> st.SearchStrategy[str]:
    """Conditions without connectives."""
    term = terms(loop)
    return short(
        "comparisons",
        st.one_of(
            st.builds("{} {} {}".format, term, relations, constants),
            st.builds("{} {} {}".format, term, relations, constants),
            st.builds("{} {} {}".format, constants, relations, term),
            st.builds("{} {} {}".format, term, relations, term),
            st.builds("{} in {}".format, term, constant_lists),
            st.builds("{} in {}".format, constants, term),
            st.builds("{} in {}".format, term, term),
            st.builds("{} == {}".format, term, constant_lists),
            st.builds(
                "{}.{}({})".format,
                term,
                st.sampled_from(["contains", "startsWith", "endsWith"]),
                st.one_of(text_constants, term),
            ),
            st.builds("{}.matches({})".format, term, patterns),
            st.builds("matches({}, {})".format, term, patterns),
            term,
            st.builds("{} == null".format, term),
            st.builds("type({}) == {}".format, term, st.sampled_from(["string", "int", "bool", "double"])),
            st.builds("math.greatest({}, 2) > 2".format, term),
        ),
    )


outer = short(
    "outer",
    st.one_of(
        st.builds("has({}.{})".format, st.one_of(roots, paths, strange.map("dyn({})".format)), keys),
        st.builds("{}.?{}.hasValue()".format, st.one_of(roots, paths), keys),
        st.sampled_from(["has(salesforce.lead)", "has(salesforce.contact)", "true", "false", "traits == {}"]),
        st.builds("{} {} {}".format, moments, relations, moments),
        st.builds("now - timestamp({}) {} {}".format, paths, orders, span_constants),
        st.builds("timestamp({}) + {} {} {}".format, paths, span_constants, orders, moments),
        st.builds("{}.{}() {} {}".format, moments, calendar, relations, st.sampled_from(["0", "1", "11", "2026"])),
        st.builds(
            "{}.{}(e, {})".format,
            st.one_of(paths, constant_lists),
            st.sampled_from(["exists", "all", "exists_one"]),
            comparisons("e"),
        ),
        st.builds(
            "{}.{}(e, {} {} {})".format,
            paths,
            st.sampled_from(["exists", "all"]),
            comparisons("e"),
            st.sampled_from(["&&", "||"]),
            comparisons("e"),
        ),
        st.builds(
            "{}.exists(d, d.{}(e, {}))".format,
            paths,
            st.sampled_from(["exists", "all"]),
            st.builds("{} == d || {}".format, st.just("e"), comparisons("e")),
        ),
        st.builds("{}.filter(e, {}).size() > 0".format, paths, comparisons("e")),
    ),
)


def _connected(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("(({}) {} ({}))".format, inner, st.sampled_from(["==", "!="]), inner),
    )


texts = st.recursive(st.one_of(comparisons(), comparisons(), outer), _connected, max_leaves=5)


def checked(text: str) -> bytes | None:
    """The condition, or None where the checker refuses it."""
    try:
        return parse(text)
    except CelErrors:
        return None


conditions = texts.filter(lambda text: checked(text) is not None)

few = st.sampled_from(INDEXED)
narrowing = short(
    "narrowing",
    st.one_of(
        st.builds("{} {} {}".format, few, relations, constants),
        st.builds("{} in {}".format, few, constant_lists),
        st.builds("{} in {}".format, text_constants, few),
        st.builds("{}.{}({})".format, few, st.sampled_from(["contains", "startsWith", "endsWith"]), text_constants),
        st.builds("{}.matches({})".format, few, patterns),
        st.builds("has({})".format, st.sampled_from(INDEXED[:5])),
        few,
        st.builds("{}.exists(x, x == {})".format, few, text_constants),
        st.builds("{}.exists(x, x in {})".format, few, constant_lists),
        st.builds("{}.all(x, x != {})".format, few, text_constants),
        st.builds("now - timestamp({}) {} {}".format, few, orders, span_constants),
        st.builds("timestamp({}) {} {}".format, few, relations, moments),
        comparisons(),
        outer,
    ),
)
"""Conditions of which an index makes something, and some others."""
rules = st.recursive(narrowing, _connected, max_leaves=5).filter(lambda text: checked(text) is not None)
