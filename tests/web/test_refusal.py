"""Every error has a code, a status below 500 unless it is ours, and the form of RFC 9457."""

import json

import pytest

from engine.web.refusal import CODES, Refused, of_status


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_is_problem_json(code: str) -> None:
    """All members of RFC 9457, and the code for programs."""
    refused = Refused(code, "Because.")
    status, title = CODES[code]
    assert json.loads(refused.body()) == {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "Because.",
        "code": code,
    }


@pytest.mark.parametrize("code", CODES)
def test_to_openfeature_a_refusal_is_ofrep(code: str) -> None:
    """One of the few codes of that protocol, and the key where one flag was asked for; all else is general."""
    theirs = {"PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"}
    said = json.loads(Refused(code, "Because.").body("ofrep", "site"))
    assert said == {"key": "site", "errorCode": said["errorCode"], "errorDetails": "Because."}
    assert said["errorCode"] in theirs
    assert "key" not in json.loads(Refused(code, "Because.").body("ofrep"))


def test_only_our_own_fault_is_above_499() -> None:
    """What a client sends never gets a 5xx, only a fault or trouble of ours does."""
    assert [code for code, (status, _) in CODES.items() if status >= 500] == ["internal-error", "storage-trouble"]


@pytest.mark.parametrize(("status", "code"), [(404, "not-found"), (405, "method-not-allowed"), (500, "internal-error")])
def test_a_frameworks_status_finds_its_code(status: int, code: str) -> None:
    """Starlette raises bare statuses; clients see the same form."""
    assert of_status(status).code == code


def test_codes_are_stable_words() -> None:
    """Kebab-case, since scripts compare them."""
    assert all(code.replace("-", "").isalpha() and code.islower() for code in CODES)
