"""The tables on the pages are the program's own, and what the pages name exists: options, variables, links."""

import click
import pytest
import re2

from engine.cli.main import VERBS, main


def test_tables_are_the_programs_own(pages, tables, table):
    """Each table stands on its page as the program makes it."""
    name, make = tables.TABLES[table]
    page = pages.HOUSE / name
    text = page.read_text(encoding="utf-8")
    begin = text.index("\n", text.index(f"<!-- {table}:")) + 1
    end = text.index(pages.END, begin)
    made = make() + "\n"
    if pages.UPDATE:
        page.write_text(text[:begin] + made + text[end:], encoding="utf-8")
        return
    assert text[begin:end] == made


def options_of(verb: str) -> list[click.Option]:
    """The options of a verb; of one with verbs of its own, those of all of them."""
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    commands = [command, *command.commands.values()] if isinstance(command, click.Group) else [command]
    return [parameter for one in commands for parameter in one.params if isinstance(parameter, click.Option)]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_explains_itself(verb):
    """No option without a line of help."""
    assert [option.name for option in options_of(verb) if not option.help] == []


@pytest.mark.parametrize("verb", VERBS)
def test_examples_in_help_name_real_options(verb):
    """What a verb's help shows as an example uses only options that exist."""
    command = main.get_command(click.Context(main), verb)
    known = {name for option in options_of(verb) for name in option.opts}
    assert set(re2.findall(r"--[a-z-]+", command.epilog or "")) <= known


def test_pages_name_real_options(page):
    """Options in a page's commands exist."""
    for call in (
        call for line in page.read_text(encoding="utf-8").splitlines() for call in line.split("mutiny-edge ")[1:]
    ):
        words = call.replace("`", " ").split()
        verb = words[0] if words else ""
        if verb in VERBS:
            known = {name for option in options_of(verb) for name in option.opts}
            assert {word for word in words if word.startswith("--")} <= known | {"--help"}, call


def test_every_environment_variable_is_real(pages):
    """A `MUTINY_EDGE_…` on a page or in the Dockerfile is one that some option reads."""
    known = {str(option.envvar) for verb in VERBS for option in options_of(verb) if option.envvar}
    for path in (*pages.PAGES, pages.HOUSE / "Dockerfile"):
        text = path.read_text(encoding="utf-8")
        named = set(re2.findall(r"MUTINY_EDGE_[A-Z_]+[A-Z]", text))
        named -= set(re2.findall(r"(?m)^(MUTINY_EDGE_[A-Z_]+) is set, and no setting has this name", text))
        assert named <= known, path


def test_links_lead_somewhere(pages, page):
    """Every relative link names a file or folder of the checkout, and a heading of that page."""
    for link, heading in re2.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")):
        target = (page.parent / link).resolve() if link else page
        assert target.exists(), link
        if heading:
            lines = re2.findall(r"(?m)^#+ (.+)$", target.read_text(encoding="utf-8"))
            assert heading in {re2.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}, heading


def test_the_map_leads_to_every_page(pages):
    """README names every page of the guide."""
    text = pages.README.read_text(encoding="utf-8")
    assert [page for page in pages.PAGES[1:] if f"]({pages.name_of(page)}" not in text] == []
