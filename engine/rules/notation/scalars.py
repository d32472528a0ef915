"""The small notations of rule files: shares, windows, timestamps, keys. Pure.

What lives here: one function a notation, from the text as written to the value that the engine uses. What may
not: files, positions, meaning beyond the one text.

1. Every function takes the text as it stands in the file and returns a plain value.
2. What does not fit raises `Mistake`, whose hint shows how the same thing is written rightly.
3. Nothing is rounded or guessed: a share has at most four decimals, a timestamp names its zone.
"""

from datetime import UTC, datetime, timedelta, timezone

import re2

from engine import limits
from engine.rules.notation.mistake import Mistake

CONTROL = "control"  # what OpenFeature has in place of a variant's key, of whoever sees the page as it is
UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

_SHARE = re2.compile(r"([0-9]{1,9})(?:\.([0-9]{1,4})0*)?[ ]?%")
_NUMBER = re2.compile(r"[-+]?[0-9]*\.?[0-9]+")
_WINDOW = re2.compile(r"([0-9]{1,9})[ ]?([smhdw])")
_SPELT_WINDOW = re2.compile(r"(?i)([0-9]{1,9}) *(s|m|h|d|w)[a-z]*")
_KEY = re2.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TIMESTAMP = re2.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NO_ZONE = re2.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)?)?")


def share(text: str) -> int:
    """A share in parts per million: 0 to 100, at most four decimals, `%`. `12.5%` is 125,000."""
    found = _SHARE.fullmatch(text)
    if found is None:
        raise _no_share(text)
    ppm = int(found.group(1)) * 10_000 + int((found.group(2) or "").ljust(4, "0"))
    if ppm > limits.PPM:
        raise Mistake(f"a share of `{text}` is more than everybody", "a share lies between `0%` and `100%`")
    return ppm


def _no_share(text: str) -> Mistake:
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        if text.startswith("-"):
            return Mistake(f"a share of `{text}` is less than nobody", "a share lies between `0%` and `100%`")
        if float(text[:-1]) > 100:
            return Mistake(f"a share of `{text}` is more than everybody", "a share lies between `0%` and `100%`")
        right = _straightened(text)
        if _SHARE.fullmatch(right):
            return Mistake(f"`{text}` is no share", f"write `{right}`")
        return Mistake(f"the share `{text}` has more than four decimals", "the finest share is `0.0001%`")
    if _NUMBER.fullmatch(text):
        return Mistake(f"the share `{text}` has no percent sign", f"{_as_percent(text)}")
    return Mistake(f"`{text}` is no share", "a share is a percentage, such as `50%` or `12.5%`")


def _straightened(text: str) -> str:
    """Without a plus sign and zeros in front, and with a zero before the point: `+.5 %` is `0.5%`."""
    whole, point, decimals = text.removeprefix("+")[:-1].strip().partition(".")
    return f"{whole.lstrip('0') or '0'}{point}{decimals}%"


def _as_percent(text: str) -> str:
    number = float(text)
    if 0 < number <= 1:
        return f"`{number * 100:.6g}%` for {text} of them, `{text}%` for a share in percent"
    return f"`{text}%`" if 0 <= number <= 100 else "a share lies between `0%` and `100%`, such as `50%`"


def window_s(text: str) -> int:
    """A length of time in seconds: a whole number > 0 and its unit `s m h d w`. `7d` is 604,800."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise _no_window(text)
    seconds = int(found.group(1)) * UNITS_S[found.group(2)]
    if seconds == 0:
        raise Mistake("a window of no length counts nothing", "a window is such as `7d`, `12h` or `30m`")
    if seconds > limits.WINDOW_S:
        raise Mistake(f"a window of `{text}` is too long", f"a window is at most `{limits.WINDOW_S // 86_400}d`")
    return seconds


def _no_window(text: str) -> Mistake:
    if text.isascii() and text.isdigit():
        return Mistake(
            f"the window `{text}` has no unit", f"`{text}d` for days, `{text}h` for hours, `{text}m` for minutes"
        )
    spelt = _SPELT_WINDOW.fullmatch(text.strip())
    if spelt is not None and "mo" not in text.lower():
        return Mistake(f"`{text}` is no window", f"`{spelt.group(1)}{spelt.group(2).lower()}`")
    return Mistake(
        f"`{text}` is no window", "a window is a whole number and a unit (s, m, h, d, w), such as `7d`, `12h` or `30m`"
    )


def timestamp(text: str) -> datetime:
    """An RFC 3339 timestamp with its zone, as a UTC datetime. At most six decimals; leap seconds are refused."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise _no_timestamp(text)
    year, month, day, hour, minute, second = (int(found.group(i)) for i in range(1, 7))
    micros = int((found.group(7) or "").ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, second, micros, tzinfo=_zone(found.group(8)))
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as impossible:
        raise Mistake(f"the date or time `{text}` does not exist", str(impossible)) from None


def _zone(text: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(f"the zone {text} does not exist")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _no_timestamp(text: str) -> Mistake:
    bare = _NO_ZONE.fullmatch(text)
    if bare is None:
        return Mistake(
            f"`{text}` is no timestamp", "a timestamp is such as `2026-11-01T00:00:00Z` or `2026-11-01T09:00:00+01:00`"
        )
    day, time, seconds = bare.groups()
    right = f"{day}T{time or '00:00'}{seconds or ':00'}"
    try:
        timestamp(f"{right}Z")
    except Mistake as impossible:
        return Mistake(f"the date or time `{text}` does not exist", impossible.hint)
    lacks = f"the time `{text}` has no zone" if time else f"the date `{text}` has no time and zone"
    return Mistake(lacks, f"`{right}Z` (UTC) or `{right}+01:00`")


def key(text: str, kind: str) -> str:
    """The key of a segment, experience, goal or variant: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 128 characters.

    Keys go into the split's hash, into URLs of previews and into reports, so they stay plain.
    """
    if len(text) > limits.KEY_CHARS:
        raise Mistake(f"this {kind} key has {len(text)} characters", f"a key has at most {limits.KEY_CHARS}")
    if _KEY.fullmatch(text) is None:
        allowed = "a key begins with a letter or digit; letters, digits, `-`, `_` and `.` follow"
        right = _plain(text)
        hint = f"`{right}` would be one; {allowed}" if right else allowed
        raise Mistake(f"`{text}` cannot be the key of {_article(kind)} {kind}", hint)
    return text


def variant_key(text: str) -> str:
    """The key of a variant: as every key, and not `control`, the word for the control group."""
    if text == CONTROL:
        raise Mistake(
            f"`{CONTROL}` cannot be the key of a variant: it stands for the control group",
            "the page as it is needs no variant, it is the share in `control`; one to compare with would be `original`",
        )
    return key(text, "variant")


def _plain(text: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else " " for c in text)
    return "-".join(kept.split()).strip("._-")


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
