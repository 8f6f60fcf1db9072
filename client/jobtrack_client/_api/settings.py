"""Where the service is and who calls it: arguments first, then the environment, then a profile."""

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
"""A bearer token, or what is asked for one before every request."""

AnyToken: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""The same, where one may be awaited."""

JOB_VARIABLE = "JOBTRACK_JOB_ID"
"""Tells a process which job it works for."""
PLACE_VARIABLE = "JOBTRACK_JOB_IN"
"""Tells it of which tenant and project that job is; without it, the job is of every project."""
OUTPUT_VARIABLE = "JOBTRACK_OUTPUT_OF"
"""Tells a process of which job its output is the log."""
_TOKEN = re.compile(r"[\x21-\x7e]+")


class NotConfigured(ConfigurationError):
    """Nothing says where the service is, or who calls it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every request needs; the token is never shown."""

    base_url: str
    tenant_id: str
    project_id: str
    token: AnyToken

    def __repr__(self) -> str:
        """All but the token."""
        return f"Settings(base_url={self.base_url!r}, tenant_id={self.tenant_id!r}, project_id={self.project_id!r})"

    @property
    def place(self) -> str:
        """The tenant and project, by which PLACE_VARIABLE names them. Not the address, which may have other forms."""
        return f"{self.tenant_id}/{self.project_id}"

    @property
    def root(self) -> str:
        """The address that every path is relative to."""
        return f"{self.base_url.rstrip('/')}/api/{self.tenant_id}/{self.project_id}/execution"


def resolve(
    base_url: str | None,
    token: AnyToken | None,
    tenant_id: str | None,
    project_id: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """What was given, else JOBTRACK_URL, JOBTRACK_TOKEN, JOBTRACK_TENANT and JOBTRACK_PROJECT, else the profile.

    A profile is not asked where an address is given: its token is for its own service.

    Raises:
        ConfigurationError: something is missing, the URL is no http(s) one, an id is not a GUID, or there is no such
            profile.
    """
    address = base_url or _variable(environ, "JOBTRACK_URL")
    profile = profiles.Profile(url=address) if address else profiles.profile(environ)
    tenant = tenant_id or _variable(environ, "JOBTRACK_TENANT") or profile.tenant
    project = project_id or _variable(environ, "JOBTRACK_PROJECT") or profile.project
    url = _needed(profile.url, "base_url", "JOBTRACK_URL")
    bearer = token or _variable(environ, "JOBTRACK_TOKEN") or _profile_token(profile)
    if bearer is None:
        raise _missing("token", "JOBTRACK_TOKEN")
    return Settings(
        _url(url),
        guid(_needed(tenant, "tenant_id", "JOBTRACK_TENANT"), "tenant_id"),
        guid(_needed(project, "project_id", "JOBTRACK_PROJECT"), "project_id"),
        bearer,
    )


def current_job_id(environ: Mapping[str, str] = os.environ) -> str:
    """The job that this process was started for: JOBTRACK_JOB_ID.

    Raises:
        ConfigurationError: there is none, or it is not a GUID.
    """
    if value := _variable(environ, JOB_VARIABLE):
        return guid(value, JOB_VARIABLE)
    raise ConfigurationError(f"job_id is missing: pass it to attach or set {JOB_VARIABLE}")


def surrounding(job_id: str, settings: Settings) -> dict[str, str]:
    """The variables of a process that works for this job."""
    return {JOB_VARIABLE: job_id, PLACE_VARIABLE: settings.place}


def surrounding_job_id(settings: Settings, environ: Mapping[str, str] = os.environ) -> str | None:
    """The job that this process was started for, if there is one in this project.

    There is a warning, once, where JOBTRACK_JOB_ID is none.
    """
    value = _variable(environ, JOB_VARIABLE)
    if environ.get(PLACE_VARIABLE, settings.place) != settings.place:
        return None
    if value is None or is_guid(value):
        return value and value.lower()
    _warn_of(value)
    return None


@lru_cache
def _warn_of(value: str) -> None:
    LOGGER.warning("%s is ignored: it must be a GUID, not %r", JOB_VARIABLE, value)


def usable(token: str) -> str:
    """The token without white space around it.

    Raises:
        ConfigurationError: a header cannot hold it (it is not shown: it is a secret).
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


def _needed(value: str | None, argument: str, variable: str) -> str:
    if value is None:
        raise _missing(argument, variable)
    return value


def _missing(argument: str, variable: str) -> NotConfigured:
    return NotConfigured(f"{argument} is missing: pass it to Client, set {variable}, or choose a profile")


def _url(value: str) -> str:
    try:
        url = urlsplit(value)
        parts = (url.hostname, url.port != 0, not url.query, not url.fragment)
        good = url.scheme in ("http", "https") and all(parts)
    except ValueError:  # an odd port or address
        good = False
    if not good:
        raise ConfigurationError(f"base_url must be an http or https URL, not {value!r}")
    return value
