"""Profiles: which one is chosen, what it may contain, and that a token is sent to its own service only."""

import base64
import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from jobtrack_client import ConfigurationError, TokenUnavailable
from jobtrack_client._api.settings import resolve
from jobtrack_client._api.token_command import OPAQUE_SECONDS, TokenCommand
from jobtrack_client.profiles import Profile, profile
from jobtrack_local.profile import publish
from tests.unit.client.service import GUID

OTHER = GUID.replace("c", "d")
CONFIG = f"""
default = "production"

[profiles.production]
url = "https://jobs.test"
tenant = "{GUID}"
project = "{GUID}"
token = "of-production"

[profiles.staging]
url = "https://staging.test"
"""
LOCAL = "http://127.0.0.1:8080"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"JOBTRACK_HOME": str(tmp_path)}


def write(tmp_path: Path, config: str | None = None) -> None:
    if config is not None:
        (tmp_path / "config.toml").write_text(config)


@pytest.mark.parametrize(
    ("config", "local", "asked", "url"),
    [
        (None, None, None, None),
        (None, LOCAL, None, LOCAL),
        (CONFIG, LOCAL, None, "https://jobs.test"),
        (CONFIG, LOCAL, "staging", "https://staging.test"),
        (CONFIG, LOCAL, "local", LOCAL),
        (CONFIG.replace('default = "production"', ""), LOCAL, None, LOCAL),
    ],
)
def test_which_is_meant(
    tmp_path: Path,
    environment: dict[str, str],
    config: str | None,
    local: str | None,
    asked: str | None,
    url: str | None,
) -> None:
    write(tmp_path, config)
    with publish(local, tmp_path) if local else nullcontext():
        assert profile({**environment, **({"JOBTRACK_PROFILE": asked} if asked else {})}).url == url


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("default = 'other'\n[profiles.a]\n", "no profile 'other' in .*config.toml; allowed: a"),
        ("default = 'other'", "no profile 'other' in .*config.toml$"),
        ("profiles = 1", "profiles must be tables"),
        ("[profiles]\na = 1", "profiles.a must be a table"),
        ("[profiles.a]\nurl = 1", "profiles.a.url must be text"),
        ("[profiles.a]\ntoken_command = [1]", "profiles.a.token_command must be text"),
        ("[profiles.a]\nadress = 'x'", "profiles.a.adress is unknown; allowed: url, tenant, project"),
        ("default = ", "config.toml cannot be read"),
        ("default = ['a']", r"default must be the name of a profile, not \['a'\]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, environment: dict[str, str], config: str, says: str) -> None:
    write(tmp_path, config)
    with pytest.raises(ConfigurationError, match=says):
        profile(environment)


def test_settings_come_from_the_profile_and_are_overridden_one_by_one(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write(tmp_path, CONFIG)
    settings = resolve(None, None, None, OTHER, {**environment, "JOBTRACK_TOKEN": "mine"})
    assert (settings.root, settings.token) == (f"https://jobs.test/api/{GUID}/{OTHER}/execution", "mine")


@pytest.mark.parametrize("where", ["argument", "variable"])
def test_a_profile_does_not_lend_its_token_to_another_address(
    tmp_path: Path, environment: dict[str, str], where: str
) -> None:
    write(tmp_path, CONFIG)
    named = {"JOBTRACK_URL": "https://elsewhere.test"} if where == "variable" else {}
    argument = "https://elsewhere.test" if where == "argument" else None
    with pytest.raises(ConfigurationError, match="token is missing"):
        resolve(argument, None, GUID, GUID, {**environment, **named})


def test_a_profile_does_not_show_its_token() -> None:
    assert "secret" not in repr(Profile(url="https://jobs.test", token="secret", token_command="echo secret"))


def jwt(expires: float) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


@pytest.mark.parametrize(
    ("token", "asked_again_at"), [(jwt(1000), 940), (jwt(1000.5), 940.5), ("opaque", OPAQUE_SECONDS), ("a.b.c", 300)]
)
def test_a_command_is_asked_again_shortly_before_its_token_expires(
    tmp_path: Path, token: str, asked_again_at: float
) -> None:
    now = [0.0]
    count = tmp_path / "count"
    program = f"open({str(count)!r}, 'a').write('x'); print({token!r})"
    ask = TokenCommand([sys.executable, "-c", program], clock=lambda: now[0])
    for moment, times in ((0, 1), (asked_again_at - 0.01, 1), (asked_again_at, 2)):
        now[0] = moment
        assert ask() == token
        assert len(count.read_text()) == times


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (f"{sys.executable} -c 'raise SystemExit(3)'", "failed with exit code 3"),
        ("no-such-program --token", "no-such-program cannot be used: No such file"),
    ],
)
def test_a_command_that_gives_none(command: str, says: str) -> None:
    with pytest.raises(TokenUnavailable, match=says):
        TokenCommand(command)()
