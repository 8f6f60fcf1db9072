"""The service's address: from arguments, else the environment; anything missing or invalid is one clear error."""

from uuid import UUID

import pytest

from jobtrack_client import Client, ConfigurationError
from jobtrack_client._api.settings import resolve, usable
from jobtrack_client._values.kinds import guid
from tests.unit.client.service import GUID

ENVIRONMENT = {
    "JOBTRACK_URL": "https://jobs.test/",
    "JOBTRACK_TOKEN": "from-environment",
    "JOBTRACK_TENANT": GUID.upper(),
    "JOBTRACK_PROJECT": GUID,
    "JOBTRACK_HOME": "/nonexistent",
}


def test_the_environment_says_what_was_not_given() -> None:
    settings = resolve(None, None, None, None, ENVIRONMENT)
    assert settings.root == f"https://jobs.test/api/{GUID}/{GUID}/execution"
    assert settings.token == "from-environment"


def test_arguments_come_first() -> None:
    other = GUID.replace("c", "d")
    settings = resolve("http://here:8000", "given", other, other, ENVIRONMENT)
    assert settings.root == f"http://here:8000/api/{other}/{other}/execution"
    assert settings.token == "given"


@pytest.mark.parametrize(
    ("variable", "argument"),
    [
        ("JOBTRACK_URL", "base_url"),
        ("JOBTRACK_TOKEN", "token"),
        ("JOBTRACK_TENANT", "tenant_id"),
        ("JOBTRACK_PROJECT", "project_id"),
    ],
)
@pytest.mark.parametrize("value", ["", "  ", None])
def test_what_is_missing_is_named(variable: str, argument: str, value: str | None) -> None:
    environment = {name: text for name, text in ENVIRONMENT.items() if name != variable}
    if value is not None:
        environment[variable] = value
    with pytest.raises(ConfigurationError, match=f"{argument} is missing: pass it to Client, set {variable},"):
        resolve(None, None, None, None, environment)


@pytest.mark.parametrize(
    "url",
    [
        *("jobs.test", "ftp://jobs.test", "http://", "http://[", "http://here:port", "/api", "https://jobs.test?x=1"),
        *("https://jobs.test/#here", "https://jobs.test\t/", "https://jobs\x00.test"),
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        Client(url, "token", GUID, GUID)


@pytest.mark.parametrize("identity", [UUID(GUID), GUID.upper()])
def test_an_id_may_be_a_uuid(identity: UUID | str) -> None:
    assert guid(identity, "job_id") == GUID


@pytest.mark.parametrize("identity", [None, 5, b"x", [GUID]])
def test_an_id_that_is_no_text(identity: object) -> None:
    with pytest.raises(ConfigurationError, match="job_id must be a GUID, not "):
        guid(identity, "job_id")


@pytest.mark.parametrize("identity", ["1", GUID + "0", "../" + GUID, GUID.replace("-", "")])
def test_an_id_that_is_no_guid(identity: str) -> None:
    with pytest.raises(ConfigurationError, match="tenant_id must be a GUID"):
        resolve(None, None, identity, None, ENVIRONMENT)


def test_a_token_is_freed_from_white_space_around_it() -> None:
    assert usable(" a.b.c\n") == "a.b.c"


@pytest.mark.parametrize("token", ["", " ", "very secret", "secret\nX-Other: 1", "geheimnis-ü", "\x00"])
def test_a_token_that_no_header_holds_is_not_shown(token: str) -> None:
    with pytest.raises(ConfigurationError, match="token") as caught:
        usable(token)
    assert not token.strip() or token not in str(caught.value)


def test_settings_do_not_show_the_token() -> None:
    assert "from-environment" not in repr(resolve(None, None, None, None, ENVIRONMENT))
