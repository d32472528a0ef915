"""No page can lie about an output: what it prints is what the program prints.

`UPDATE=1 python -m pytest tests/docs` writes outputs and tables anew; read the difference before it goes in.
"""


def test_printed_output_is_real(pages, printed):
    """What a page shows under a command is what the command prints."""
    page, command, shown = printed
    _, made = pages.run(command, MUTINY_EDGE_DATA="/nowhere")
    if pages.UPDATE and made != shown:
        pages.replace_output(page, command, shown, made)
        return
    assert shown == made


def test_the_rules_on_a_page_are_in_order(pages, page, tmp_path):
    """The YAML that a page teaches rules with has no problem in the shop of the README, where a newcomer writes it."""
    blocks = [text for text in pages.fenced(page.read_text(encoding="utf-8"), "yaml") if _are_rules(text)]
    for number, text in enumerate(blocks):
        tmp_path.joinpath(f"page-{number}.yaml").write_text(text, encoding="utf-8")
    if blocks:
        tmp_path.joinpath("home.yaml").write_text(pages.shop(), encoding="utf-8")
        code, said = pages.run(f"mutiny-edge check {tmp_path}")
        assert code == 0, said
        assert "0 errors, 0 warnings" in said


def _are_rules(text):
    return text.startswith(("segments:", "experiences:", "tests:", "traits:", "conversions:"))
