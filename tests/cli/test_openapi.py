"""`mutiny-edge openapi`: what clients are generated from."""

import json

from openapi_spec_validator import validate


def test_it_describes_every_address(run):
    """A valid description, of the addresses for admins too, printed without a service, rules or data."""
    said = json.loads(run("openapi").stdout)
    validate(said)
    assert {"/v1/decide", "/v1/batch", "/v1/explain", "/openapi.json", "/metrics"} <= said["paths"].keys()
