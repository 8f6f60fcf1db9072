"""Where the service is and who calls it: arguments first, then the environment."""

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from jobtrack_client._exceptions import ConfigurationError

Token: TypeAlias = str | Callable[[], str]
"""A bearer token, or what is asked for one before every request."""

AnyToken: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""The same, where one may be awaited."""

JOB_VARIABLE = "JOBTRACK_JOB_ID"
"""Tells a process which job it works for."""
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")


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
    """What was given, else JOBTRACK_URL, JOBTRACK_TOKEN, JOBTRACK_TENANT and JOBTRACK_PROJECT.

    Raises:
        ConfigurationError: something is missing, the URL is no http(s) one, or an id is not a GUID.
    """
    return Settings(
        _url(base_url or _required(environ, "JOBTRACK_URL", "base_url")),
        guid(tenant_id or _required(environ, "JOBTRACK_TENANT", "tenant_id"), "tenant_id"),
        guid(project_id or _required(environ, "JOBTRACK_PROJECT", "project_id"), "project_id"),
        token or _required(environ, "JOBTRACK_TOKEN", "token"),
    )


def current_job_id(environ: Mapping[str, str] = os.environ) -> str:
    """The job that this process was started for: JOBTRACK_JOB_ID.

    Raises:
        ConfigurationError: there is none, or it is not a GUID.
    """
    if value := environ.get(JOB_VARIABLE, "").strip():
        return guid(value, JOB_VARIABLE)
    raise ConfigurationError(f"job_id is missing: pass it to attach or set {JOB_VARIABLE}")


def usable(token: str) -> str:
    """The token without white space around it.

    Raises:
        ConfigurationError: a header cannot hold it (it is not shown: it is a secret).
    """
    if _TOKEN.fullmatch(stripped := token.strip()):
        return stripped
    raise ConfigurationError("token is empty or has characters that a bearer token cannot have")


def guid(value: str, name: str) -> str:
    """The id in lower case.

    Raises:
        ConfigurationError: it is not a GUID.
    """
    if not _GUID.fullmatch(value):
        raise ConfigurationError(f"{name} must be a GUID, not {value!r}")
    return value.lower()


def _required(environ: Mapping[str, str], variable: str, argument: str) -> str:
    if value := environ.get(variable, "").strip():
        return value
    raise ConfigurationError(f"{argument} is missing: pass it to Client or set {variable}")


def _url(value: str) -> str:
    try:
        url = urlsplit(value)
        good = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:  # an odd port or address
        good = False
    if not good:
        raise ConfigurationError(f"base_url must be an http or https URL, not {value!r}")
    return value
