"""The tables on the pages, as the program makes them. A plain module of these tests.

1. Each function makes one; `TABLES` says on which page it stands, and by what name it is marked there.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import re2

from engine.cel.scope import FIELDS, ROOTS
from engine.cel.vocabulary import FUNCTIONS, METHODS
from engine.cli.main import VERBS, main
from engine.rules.schema import json_schema
from engine.settings import SETTINGS
from engine.web.metrics.families import FAMILIES
from engine.web.openapi.document import everything
from engine.web.refusal import CODES

HOUSE = Path(__file__).resolve().parent.parent.parent
VECTORS = HOUSE / "tests/decide/split_vectors.json"
SHOWN = {("corporate-website", "v1"), ("pricing", "user-4711"), ("価格", "ユーザー")}
SHOWN_GROUPS = ("pricing", "small-company", "v1")
NEEDS = {"adminKey": "an admin key", "writeKey": "a write key", "signature": "Segment's signature"}
OPEN_ROOTS = {
    "traits": "what Segment sent about the person, and what the page itself knows",
    "account": "what Segment's `group` calls sent about the account",
    "salesforce.lead": "every field of the lead with the visitor's `email`",
    "salesforce.contact": "every field of the contact with it",
}
MEANINGS = {
    "page.url": "as the page was asked for",
    "page.host": "in small letters, without the port",
    "page.path": "begins with `/`",
    "page.query": "by name; of several values the first",
    "page.referrer": "the page before; empty where there was none",
    "page.title": "of the document",
    "visit.count": "which visit of this browser it is, from 1",
    "visit.first_seen": "when the first one was",
    "visit.new": "is it the first?",
    "device.type": "`desktop`, `mobile`, `tablet`, `bot`",
    "device.language": "the browser's first choice, as `de-AT`",
    "geo.country": "of the CDN's headers, as `AT`",
    "geo.region": "of the CDN's headers",
    "geo.city": "of the CDN's headers",
    "now": "the time of the page view",
}


def table(*rows: Iterable[str]) -> str:
    """Rows as Markdown, the first one being the head."""
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * (lines[0].count(" | ") + 1) + "|", *lines[1:]])


def commands() -> str:
    """Every verb with its line."""
    return table(("command", "does"), *((f"`{verb}`", line.rstrip(".")) for verb, line in VERBS.items()))


def codes() -> str:
    """Every error code that a client can see."""
    return table(
        ("code", "status", "meaning"), *((f"`{code}`", str(status), title) for code, (status, title) in CODES.items())
    )


def vectors() -> dict[str, list[dict[str, Any]]]:
    """The vectors of the split, as they are fixed for every language."""
    found: dict[str, list[dict[str, Any]]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


def draws() -> str:
    """Some draws: what is hashed, and the number."""
    rows = [
        (f"`{d['role']}:{d['experience']}:{d['segment']}:{d['salt']}:{d['unit']}`", str(d["draw"]))
        for d in vectors()["draws"]
        if (d["experience"], d["unit"]) in SHOWN
    ]
    return table(("hashed text", "draw"), *rows)


def groups() -> str:
    """Some visitors: their shares, and the groups that they draw."""
    rows = [
        (
            f"`{g['experience']}` `{g['segment']}` `{g['unit']}`",
            *(f"{g['control_ppm']:,}", str(g["weights"]), f"{g['holdout_ppm']:,}"),
            *(yes(g["control"]), str(g["variant"]), yes(g["held_out"])),
        )
        for g in vectors()["groups"]
        if (g["experience"], g["segment"], g["unit"]) == SHOWN_GROUPS and g["salt"] == ""
    ]
    return table(
        ("experience, segment, unit", "control ppm", "weights", "holdout ppm", "control", "variant", "held out"), *rows
    )


def yes(fact: bool) -> str:
    """As people write it."""
    return "yes" if fact else "no"


def names() -> str:
    """Every name that a condition may use, with its type."""
    types = {
        f"{root}.{field}": type_
        for root, fields in FIELDS.items()
        if root != "salesforce"
        for field, type_ in fields.items()
    } | {"now": "timestamp"}
    assert {name.split(".")[0] for name in (*OPEN_ROOTS, *types)} == set(ROOTS)
    rows = [(f"`{name}`", "any", meaning) for name, meaning in OPEN_ROOTS.items()]
    rows += [
        (
            f"`{name}`",
            type_.removeprefix("google.protobuf.").lower().replace("(string, string)", " of text"),
            MEANINGS[name],
        )
        for name, type_ in types.items()
    ]
    return table(("name", "type", "meaning"), *rows)


def _said(type_: str) -> str:
    return type_.removeprefix("google.protobuf.").lower().replace("(string, string)", " of text")


def words(of: Iterable[str]) -> str:
    """Names in a row."""
    return ", ".join(f"`{word}`" for word in sorted(of))


def verbs() -> str:
    """Every verb with its usage and options."""
    return "\n\n".join(text for verb in VERBS for text in _verb(verb, ("mutiny-edge", verb)))


def _verb(verb: str, path: tuple[str, ...], of: click.Group = main) -> Iterable[str]:
    command = of.get_command(click.Context(of), verb)
    assert command is not None
    if isinstance(command, click.Group):
        yield f"## {' '.join(path[1:])}\n\n{_sentence(command)}"
        for name in command.commands:
            yield from _verb(name, (*path, name), command)
        return
    level = "##" if len(path) == 2 else "###"
    usage = " ".join([*path, *command.collect_usage_pieces(click.Context(command))])
    rows = [_option(parameter) for parameter in command.params if isinstance(parameter, click.Option)]
    options = "\n\n" + table(("option", "does", "variable"), *rows) if rows else ""
    yield f"{level} {' '.join(path[1:])}\n\n{_sentence(command)}\n\n`{usage}`{options}"


def _sentence(command: click.Command) -> str:
    return (command.help or "").partition("\n\n")[0].replace("\n", " ").strip()


def _option(option: click.Option) -> tuple[str, str, str]:
    name = ", ".join(f"`{text}`" for text in (*option.opts, *option.secondary_opts))
    metavar = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    help_ = " ".join((option.help or "").split())
    shown = option.show_default if isinstance(option.show_default, str) else option.default
    default = f" Default: {shown}." if option.show_default and shown not in {None, ""} else ""
    return name + metavar.replace("[", "\\["), help_ + default, f"`{option.envvar}`" if option.envvar else ""


def keys() -> str:
    """Every key of rule files, block by block."""
    schema = json_schema()
    blocks = {"A file": schema, **{name: schema["$defs"][name] for name in _in_order(schema)}}
    return "\n\n".join(_block(name, block, schema) for name, block in blocks.items())


def _in_order(schema: dict[str, Any]) -> list[str]:
    """Blocks as one meets them, reading a file from the top."""
    found: list[str] = []

    def visit(node: Any) -> None:
        for name in re2.findall(r"#/\$defs/(\w+)", json.dumps(node)):
            if name not in found:
                found.append(name)
                visit(schema["$defs"][name])

    visit(schema["properties"])
    return found


def _block(name: str, block: dict[str, Any], schema: dict[str, Any]) -> str:
    rows = []
    for key, value in block["properties"].items():
        meaning = value.get("description") or _pointed(value, schema)
        default = value.get("default")
        shown = "required" if key in block["required"] else f"`{default}`" if default not in (None, {}, [], "") else ""
        rows.append((f"`{key}`", _kind(value), meaning, shown))
    title = f"## {name}\n\n{block['description']}\n\n"
    return title + table(("key", "is", "meaning", "default"), *rows)


def _pointed(value: dict[str, Any], schema: dict[str, Any]) -> str:
    """What the block is that stands there, where nothing else is said."""
    found = re2.findall(r"#/\$defs/(\w+)", json.dumps(value))
    inner = value.get("items") or value.get("additionalProperties") or {}
    text = (
        schema["$defs"][found[0]]["description"] if found else inner.get("description", "") if inner is not True else ""
    )
    return str(text)


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return f"[{value['$ref'].rsplit('/', 1)[1]}](#{value['$ref'].rsplit('/', 1)[1].lower()})"
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    if "anyOf" in value:
        kinds = dict.fromkeys(_kind(option) for option in value["anyOf"])
        return " or ".join(kinds)
    type_ = value.get("type", "any value")
    type_ = next(word for word in type_ if word != "null") if isinstance(type_, list) else type_
    if type_ == "array":
        return f"list of {_kind(value['items'])}"
    if type_ == "object":
        inner = value.get("additionalProperties")
        return f"by name: {_kind(inner)}" if isinstance(inner, dict) else "names and values"
    return {"string": "text", "integer": "whole number", "boolean": "`true` or `false`"}.get(type_, str(type_))


def addresses() -> str:
    """Every address, what it does, and what one has to show."""
    described = ((path, *row) for path, methods in everything()["paths"].items() for row in methods.items())
    rows = [
        (
            *(f"`{method.upper()} {path}`", said["summary"]),
            " or ".join(NEEDS[scheme] for one in said.get("security", ()) for scheme in one),
        )
        for path, method, said in described
    ]
    return table(("address", "does", "needs"), *rows)


def metrics() -> str:
    """Every metric, as Prometheus stores it."""
    rows = [
        (f"`{family.shown}`", family.kind, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for family in FAMILIES
    ]
    return table(("metric", "kind", "labels", "what"), *rows)


def settings() -> str:
    """Every setting, with its variable."""
    rows = [
        (
            *(f"`{line.variable}`", "" if line.secret else f"`{line.option}`", line.verbs),
            f"`{line.default}`" if line.default else "",
            line.help,
        )
        for line in SETTINGS
    ]
    return table(("variable", "option", "taken by", "default", "what"), *rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "commands": ("README.md", commands),
    "addresses": ("engine/guide/http.md", addresses),
    "settings": ("engine/guide/settings.md", settings),
    "metrics": ("engine/guide/observe.md", metrics),
    "codes": ("engine/guide/http.md", codes),
    "draws": ("engine/guide/split.md", draws),
    "groups": ("engine/guide/split.md", groups),
    "names": ("engine/guide/conditions.md", names),
    "methods": ("engine/guide/conditions.md", lambda: words(METHODS)),
    "functions": ("engine/guide/conditions.md", lambda: words(FUNCTIONS)),
    "keys": ("engine/guide/rule-files.md", keys),
    "verbs": ("engine/guide/commands.md", verbs),
}
