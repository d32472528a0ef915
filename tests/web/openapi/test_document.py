"""The description of a service: nothing is served that is not described, and nothing described that is not served."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from engine.web.app import App, build
from engine.web.bounds import of_url
from engine.web.door import Address
from engine.web.openapi.document import OPERATIONS, Undescribed, document, everything
from engine.web.openapi.refusals import form_of


def test_it_is_openapi(described: Any) -> None:
    """By the specification's own schema; of every address, too."""
    validate(described.document)
    validate(everything())


def test_what_is_served_is_what_is_described(described: Any) -> None:
    """Every address of the app, method by method, is in its description, and no other is."""
    served = {
        (method.lower(), door.address.path.replace(":path}", "}"))
        for door in described.app.doors
        for method in door.address.methods
    }
    assert served == {(method, path) for method, path, _ in described.operations()}
    assert served == {(method.lower(), path) for method, path in OPERATIONS}


def test_without_admin_keys_nothing_for_admins_is_described(described: Any) -> None:
    """No address, no key, no schema that only they need."""
    said = _described_by(build(described.node))
    assert "/v1/explain" not in said["paths"]
    assert "adminKey" not in said["components"]["securitySchemes"]
    assert "Explanation" not in said["components"]["schemas"]
    assert [tag["name"] for tag in said["tags"]] == ["Decisions", "OpenFeature", "Segment", "Service"]


def _described_by(app: App) -> Any:
    return document(door.address for door in app.doors)


async def _nobody(_: Any) -> Any:
    raise AssertionError


@pytest.mark.parametrize("address", [("/v2/decide", "page"), ("/v1/decide", "admin")])
def test_an_address_that_nobody_describes_cannot_be_served(address: tuple[str, Any]) -> None:
    """Nor one that is described as for somebody else."""
    path, who = address
    with pytest.raises(Undescribed, match=f"GET {path} for {who}: no file"):
        document([Address(path, who, ("GET",), _nobody)])


def test_every_name_is_one_of_its_own(described: Any) -> None:
    """Operations have ids that make good names of methods, and each its words."""
    operations = [operation for *_, operation in described.operations()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(id_.isidentifier() and id_[0].islower() for id_ in ids)
    assert all(operation["summary"] and operation["description"] for operation in operations)


def test_who_may_ask_is_said_of_every_operation(described: Any) -> None:
    """Of an open one that nobody need show anything; and what may be done with the description itself."""
    said = {(method, path): operation["security"] for method, path, operation in described.operations()}
    assert said["post", "/v1/decide"] == said["get", "/healthz"] == []
    assert said["get", "/v1/explain"] == [{"adminKey": []}]
    assert described.document["info"]["license"].keys() == {"name", "identifier"}


def lists(part: Any) -> Iterator[Any]:
    """Every schema of a list in it."""
    if isinstance(part, dict):
        if part.get("type") == "array" or "array" in list(part.get("type", ())):
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from lists(inner)


def test_every_list_says_what_is_in_it() -> None:
    """Be it anything: some generators leave out every address that leads to a list of which that is not said."""
    found = list(lists(everything()))
    assert len(found) > 10
    assert [one for one in found if "items" not in one] == []


def test_every_component_is_needed_and_there(described: Any) -> None:
    """No reference leads nowhere, and nothing lies about that nobody refers to."""
    text = str(described.document)
    for kind in ("schemas", "responses"):
        for name, component in described.document["components"][kind].items():
            assert f"'#/components/{kind}/{name}'" in text, name
            assert component.get("description") or kind == "schemas"


def test_what_passes_through_a_connection_has_the_form_of_its_address(described: Any) -> None:
    """What is refused before any address sees it is refused in the form that the address's clients read."""
    for door in described.app.doors:
        path = door.address.path.replace("{", "").replace("}", "")
        assert of_url(path.encode()).form == form_of(door.address.who), path
