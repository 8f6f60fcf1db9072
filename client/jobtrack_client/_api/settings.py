"""Finds the settings of a client: from arguments, from the environment, or from a profile."""

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

from jobtrack_client import profiles
from jobtrack_client._api.token_command import TokenCommand
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._runtime.log import LOGGER
from jobtrack_client._values.kinds import guid, is_guid

Token: TypeAlias = str | Callable[[], str]
"""A bearer token, or a callable that returns one and is called before every request."""

AnyToken: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token for the asynchronous client. The callable may be a coroutine function."""

JOB_VARIABLE = "JOBTRACK_JOB_ID"
"""The variable with the id of the job that a process works for."""
PLACE_VARIABLE = "JOBTRACK_JOB_IN"
"""The variable with the tenant and project of the job. Without it, the job belongs to every project."""
OUTPUT_VARIABLE = "JOBTRACK_OUTPUT_OF"
"""The variable with the id of the job whose log contains the output of a process."""
_TOKEN = re.compile(r"[\x21-\x7e]+")


class NotConfigured(ConfigurationError):
    """A setting is missing in the arguments, the environment and the profile."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of every request."""

    base_url: str
    tenant_id: str
    project_id: str
    token: AnyToken

    def __repr__(self) -> str:
        """Return everything but the token."""
        return f"Settings(base_url={self.base_url!r}, tenant_id={self.tenant_id!r}, project_id={self.project_id!r})"

    @property
    def place(self) -> str:
        """Return the value of PLACE_VARIABLE. It has no URL, because one service may have several."""
        return f"{self.tenant_id}/{self.project_id}"

    @property
    def root(self) -> str:
        """Return the base URL of all paths."""
        return f"{self.base_url.rstrip('/')}/api/{self.tenant_id}/{self.project_id}/execution"


def resolve(
    base_url: str | None,
    token: AnyToken | None,
    tenant_id: str | None,
    project_id: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings: arguments, else JOBTRACK_URL, _TOKEN, _TENANT and _PROJECT, else those of the profile.

    If a URL is given, the profile is not read: its token is for its own service.

    Raises:
        ConfigurationError: a setting is missing, the URL is not an http or https URL, an id is not a GUID, or the
            profile does not exist.
    """
    address = base_url or _variable(environ, "JOBTRACK_URL")
    profile = profiles.Profile(url=address) if address else profiles.profile(environ)
    tenant = tenant_id or _variable(environ, "JOBTRACK_TENANT") or profile.tenant
    project = project_id or _variable(environ, "JOBTRACK_PROJECT") or profile.project
    url = _require(profile.url, "base_url", "JOBTRACK_URL")
    bearer = token or _variable(environ, "JOBTRACK_TOKEN") or _profile_token(profile)
    if bearer is None:
        raise _missing("token", "JOBTRACK_TOKEN")
    return Settings(
        _check_url(url),
        guid(_require(tenant, "tenant_id", "JOBTRACK_TENANT"), "tenant_id"),
        guid(_require(project, "project_id", "JOBTRACK_PROJECT"), "project_id"),
        bearer,
    )


def current_job_id(environ: Mapping[str, str] = os.environ) -> str:
    """Return the id of the job that this process was started for: JOBTRACK_JOB_ID.

    Raises:
        ConfigurationError: the variable is not set, or it is not a GUID.
    """
    if value := _variable(environ, JOB_VARIABLE):
        return guid(value, JOB_VARIABLE)
    raise ConfigurationError(f"job_id is missing: pass it to attach or set {JOB_VARIABLE}")


def surrounding(job_id: str, settings: Settings) -> dict[str, str]:
    """Return the environment variables of a process that works for this job."""
    return {JOB_VARIABLE: job_id, PLACE_VARIABLE: settings.place}


def surrounding_job_id(settings: Settings, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the id of the job that this process was started for, if that job belongs to this project.

    A JOBTRACK_JOB_ID that is not a GUID is ignored, with one warning.
    """
    value = _variable(environ, JOB_VARIABLE)
    if environ.get(PLACE_VARIABLE, settings.place) != settings.place:
        return None
    if value is None or is_guid(value):
        return value and value.lower()
    _warn_about(value)
    return None


@lru_cache
def _warn_about(value: str) -> None:
    LOGGER.warning("%s is ignored: it must be a GUID, not %r", JOB_VARIABLE, value)


def usable(token: str) -> str:
    """Return the token without white space around it.

    Raises:
        ConfigurationError: a header cannot hold the token. The message does not show it, because it is a secret.
    """
    if _TOKEN.fullmatch(stripped := token.strip()):
        return stripped
    raise ConfigurationError("token is empty or has characters that a bearer token cannot have")


def _profile_token(profile: profiles.Profile) -> Token | None:
    if profile.token is None and profile.token_command:
        return TokenCommand(profile.token_command)
    return profile.token


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None


def _require(value: str | None, argument: str, variable: str) -> str:
    if value is None:
        raise _missing(argument, variable)
    return value


def _missing(argument: str, variable: str) -> NotConfigured:
    return NotConfigured(f"{argument} is missing: pass it to Client, set {variable}, or choose a profile")


def _check_url(value: str) -> str:
    try:
        url = urlsplit(value)
        parts = (url.hostname, url.port != 0, not url.query, not url.fragment)
        valid = url.scheme in ("http", "https") and all(parts)
    except ValueError:  # the port or the host is malformed
        valid = False
    if not valid:
        raise ConfigurationError(f"base_url must be an http or https URL, not {value!r}")
    return value
