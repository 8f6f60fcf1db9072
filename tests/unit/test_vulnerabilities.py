"""The interpretation of pip-audit's output."""

from typing import Any

import pytest

from scripts import vulnerabilities

KNOWN: dict[str, Any] = {"name": "sound", "version": "1.0", "vulns": []}
UNKNOWN: dict[str, Any] = {"name": "ours", "skip_reason": "not found"}
BAD: dict[str, Any] = {
    "name": "weak",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1", "3.0"]}],
}


def test_each_vulnerability_is_a_line_with_the_fixed_versions() -> None:
    assert list(vulnerabilities.vulnerabilities([KNOWN, UNKNOWN, BAD])) == ["weak 2.0: PYSEC-1, fixed in 2.1, 3.0"]


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1"])
def test_one_that_does_not_concern_us_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(vulnerabilities, "ACCEPTED", {name: "we never call it"})
    assert list(vulnerabilities.vulnerabilities([BAD])) == []


def test_what_nobody_knows_is_not_called_sound() -> None:
    assert "NOT AUDITED" in vulnerabilities.summary("a.lock", [UNKNOWN], 0)
    assert vulnerabilities.summary("a.lock", [KNOWN, UNKNOWN, BAD], 1) == (
        "a.lock: 1 vulnerabilities in 2 packages, 1 not known to the service"
    )


def test_a_vulnerability_fails_the_check_and_an_unanswered_question_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"good.lock": [KNOWN], "bad.lock": [BAD]}

    def audit(file: str) -> list[Any]:
        if file in answers:
            return answers[file]
        raise RuntimeError("some lines\nno route to host")

    monkeypatch.setattr(vulnerabilities, "audit", audit)
    assert vulnerabilities.main(["good.lock", "away.lock"]) == 0
    assert "away.lock: NOT AUDITED: no route to host" in capsys.readouterr().out
    assert vulnerabilities.main(["good.lock", "bad.lock"]) == 1
