"""Page views over HTTP, on both roads, beside an app that answers constant bytes (`bench.http`)."""

import pytest

from bench import http
from bench.table import must_be_there


def test_http(table, tmp_path):
    """Small and browser-like headers; every answer right, none refused."""
    if not http.there() and not must_be_there():
        pytest.skip(http.NO_WRK)
    http.prepare(tmp_path)
    table += http.rows(http.measure(tmp_path))
