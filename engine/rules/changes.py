"""Page changes as written, made into `words.Change`.

What lives here: what a change may hold, alone and together. What may not: slots and their places (templates.py).

1. A change has a selector and at least one action. A redirect has neither, and is alone in its variant.
2. Actions that undo each other in one change (`remove` and anything, `text` and `html`) are a mistake.
"""

from functools import partial

import re2

from engine import words
from engine.rules import shape
from engine.rules.desk import Desk
from engine.rules.document import Path
from engine.rules.notation import inert, selectors, templates
from engine.rules.notation.mistake import Mistake

ACTIONS = ("text", "html", "attributes", "classes", "style", "remove", "insert", "redirect")

_PROPERTY = re2.compile(r"--[^\s:;{}]+|-?[a-z][a-z-]*")
_CLASS = re2.compile(r"[^\s]+")
_CAPITAL = re2.compile(r"([A-Z])")


def changes(desk: Desk, path: Path, written: list[shape.Change]) -> tuple[words.Change, ...]:
    """The changes of one variant."""
    for number, change in enumerate(written):
        if change.redirect and len(written) > 1:
            desk.say_key(
                (*path, number, "redirect"),
                "redirect",
                "a redirect is the only change of its variant: the page is left",
                "move the other changes to a variant of their own",
            )
    return tuple(_change(desk, (*path, number), change) for number, change in enumerate(written))


def _change(desk: Desk, path: Path, written: shape.Change) -> words.Change:
    _check_together(desk, path, written)
    selector = written.selector
    if selector is not None:
        desk.read((*path, "selector"), "selector", selectors.read, selector)
    insert = written.insert
    classes = written.classes or shape.Classes()
    _check_classes(desk, (*path, "classes"), classes)
    _check_style(desk, (*path, "style"), written.style)
    return words.Change(
        selector=selector,
        text=desk.template((*path, "text"), templates.text, written.text),
        html=desk.template((*path, "html"), templates.html, written.html),
        attributes={
            name: _attribute(desk, (*path, "attributes", name), text) for name, text in written.attributes.items()
        },
        classes_add=tuple(classes.add),
        classes_remove=tuple(classes.remove),
        style=written.style,
        remove=bool(written.remove),
        insert=words.Insert(
            insert.position, desk.template((*path, "insert", "html"), templates.html, insert.html) or ()
        )
        if insert
        else None,
        redirect=desk.template((*path, "redirect"), templates.redirect, written.redirect or None),
    )


def _attribute(desk: Desk, path: Path, text: str) -> words.Template:
    name = str(path[-1])
    wrong = inert.refused_attribute(name.lower())
    if wrong is not None:
        desk.say_key(path, "template", wrong.message, wrong.hint)
        return ()
    return desk.template(path, partial(templates.attribute, name), text) or ()


def _actions(written: shape.Change) -> list[str]:
    """What the change does; what holds nothing does nothing."""
    return [name for name in ACTIONS if getattr(written, name) not in (None, {}, False, shape.Classes())]


def _check_together(desk: Desk, path: Path, written: shape.Change) -> None:
    actions = _actions(written)
    if written.redirect is not None:
        others = [*actions[:-1], *(["selector"] if written.selector else [])]
        if others:
            desk.say_key(
                (*path, "redirect"),
                "redirect",
                f"a redirect stands alone, without `{others[0]}`",
                "`- {redirect: /small-teams}`",
            )
        return
    if written.selector is None:
        desk.say(path, "change", "the change has no `selector`: nobody knows what to change", '`selector: "h1"`')
    if not actions:
        known = ", ".join(f"`{name}`" for name in ACTIONS)
        desk.say(path, "change", "the change changes nothing", f"a change has at least one of {known}")
    for one, other in (("text", "html"), *(("remove", name) for name in actions if name != "remove")):
        if one in actions and other in actions:
            desk.say_key(
                (*path, other),
                "change",
                f"`{one}` and `{other}` of the same element undo each other",
                "keep one of them",
            )


def _check_classes(desk: Desk, path: Path, written: shape.Classes) -> None:
    for kind, names in (("add", written.add), ("remove", written.remove)):
        for number, name in enumerate(names):
            at = (*path, kind, number)
            if "{{" in name:
                slot = Mistake(
                    "no slot may stand in a class",
                    'an attribute may hold one, and a style can ask for it: `attributes: {data-plan: "{{ … }}"}`',
                    name.index("{{"),
                    2,
                )
                desk.mistake(at, "class", slot, name)
            elif name and not _CLASS.fullmatch(name):
                listed = ", ".join(name.split())
                desk.say(
                    at, "class", f"a class has no white space: `{name}`", f"several classes are a list: `[{listed}]`"
                )
            elif name.startswith("."):
                desk.say(at, "class", f"the class is `{name[1:]}`; the dot belongs to selectors", f"`{name[1:]}`")
            if kind == "remove" and name in written.add:
                desk.say(at, "class", f"the class `{name}` is both added and removed", "keep one of them")


def _check_style(desk: Desk, path: Path, written: dict[str, str]) -> None:
    for name, value in written.items():
        if _PROPERTY.fullmatch(name) is None:
            right = str(_CAPITAL.sub(r"-\1", name)).lower()
            hint = f"`{right}`" if _PROPERTY.fullmatch(right) else "a property is such as `background-color`"
            desk.say_key((*path, name), "style", f"`{name}` is no CSS property's name", hint)
        desk.read((*path, name), "style", _style_value, value)


def _style_value(value: str) -> str:
    if "{{" in value:
        raise Mistake(
            "no slot may stand in `style`", "a class (`classes:`) with a style of its own does it", value.index("{{"), 2
        )
    for c in ";{}":
        if c in value:
            raise Mistake(
                f"`{c}` cannot stand in a CSS value", "every property is a line of its own", value.index(c), 1
            )
    return value
