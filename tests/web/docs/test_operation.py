"""One operation on the page: what to send, what comes back, a line to try it with."""

from typing import Any

from engine.web.docs.operation import answer_row, operation_html
from engine.web.openapi.document import everything

SAID = everything()


def shown(method: str, path: str) -> str:
    """The operation's piece of the page."""
    return operation_html(method, path, SAID["paths"][path][method], SAID["components"]["schemas"])


def test_a_question_with_a_body() -> None:
    """Its members, each example with its line and its answer, every status with its codes."""
    html = shown("post", "/v1/decide")
    assert '<article id="decide">' in html
    assert '<span class="method post">POST</span>' in html
    assert '<code>visitorId</code> <span class="must">required</span>' in html
    assert html.count('<pre class="curl">') == html.count('<pre class="answer" tabindex="0">') == 3
    assert '<span class="status s4">413</span>' in html
    assert "<code>bad-visitor-id</code>: visitorId is not an id" in html


def test_a_question_in_the_query() -> None:
    """Its parameters, one line, one answer."""
    html = shown("get", "/v1/decide")
    assert '<th scope="row"><code>url</code> <span class="must">required</span></th><td>query</td>' in html
    assert (html.count('<pre class="curl">'), html.count('<pre class="answer" tabindex="0">')) == (1, 1)
    assert "<h4>Body</h4>" not in html


def test_who_may_ask() -> None:
    """A key or a signature is said in words; who needs none reads nothing of it."""
    said = {path: shown(method, path) for method, path in (("get", "/v1/traits"), ("post", "/v1/track"))}
    assert "Needs an admin key" in said["/v1/traits"]
    assert "write key" in said["/v1/track"]
    assert 'class="who"' not in shown("get", "/healthz")


def test_what_any_address_answers_is_only_linked_to() -> None:
    """Said once, at the end of the page."""
    html = shown("get", "/healthz")
    assert '<a href="#answer-RequestTimeout">408</a>' in html
    assert "request-timeout" not in html


def test_what_cannot_be_asked_by_its_examples_shows_no_line() -> None:
    """Without a body there is nothing to try."""
    operation: dict[str, Any] = {**SAID["paths"]["/v1/explain"]["post"]}
    assert "Try it" not in operation_html("post", "/v1/explain", operation, SAID["components"]["schemas"])


def test_an_answer() -> None:
    """Its status, its words, what is in it."""
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Alive"}}}
    html = answer_row("200", {"description": "It does.", "content": schema})
    assert html == (
        '<dt><span class="status s2">200</span></dt><dd><p>It does.</p>'
        '<p class="kind"><a href="#schema-Alive">Alive</a>, <code>application/json</code></p></dd>'
    )
