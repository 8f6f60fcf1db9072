"""The services that a person uses, by name: those of `config.toml`, and `local`, the newest running `jobtrack serve`.

Each `jobtrack serve` keeps a file in the folder `services` and locks it for as long as it runs.

A profile of `config.toml` has the members of `Profile`, and `default` there names the one that is meant without a word:

    default = "production"

    [profiles.production]
    url = "https://jobs.example.com"
    tenant = "11111111-1111-4111-8111-111111111111"
    project = "22222222-2222-4222-8222-222222222222"
    token_command = "my-login print-token"
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from jobtrack_client._exceptions import ConfigurationError

LOCAL = "local"
CONFIG_FILE = "config.toml"
SERVICES = "services"
VARIABLE = "JOBTRACK_PROFILE"
_HOME_VARIABLE = "JOBTRACK_HOME"


@dataclass(frozen=True, slots=True)
class Profile:
    """One service and who calls it, with a `token` or what `token_command` (a line, or a list of words) prints."""

    url: str | None = None
    tenant: str | None = None
    project: str | None = None
    token: str | None = None
    token_command: str | tuple[str, ...] | None = None
    page: str | None = None
    """Where the live page is, unless the service serves it."""

    def __repr__(self) -> str:
        """All but the token and what gives it."""
        return f"Profile(url={self.url!r}, tenant={self.tenant!r}, project={self.project!r})"


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of this user's profiles, and of the local service's key; JOBTRACK_HOME overrides it."""
    if chosen := environ.get(_HOME_VARIABLE):
        return Path(chosen)
    import platformdirs  # here, since who names a service needs none

    return platformdirs.user_config_path("jobtrack")


def profile(environ: Mapping[str, str] = os.environ) -> Profile:
    """That of JOBTRACK_PROFILE, else the default of `config.toml`, else the local service's, else an empty one.

    Raises:
        ConfigurationError: there is no profile of that name, or a file cannot be read.
    """
    folder = home(environ)
    config = _read(folder / CONFIG_FILE)
    known = {**_local(folder / SERVICES), **_profiles(config, folder / CONFIG_FILE)}
    name = environ.get(VARIABLE, "").strip() or config.get("default")
    if name is None:
        return known.get(LOCAL, Profile())
    if not isinstance(name, str):
        raise ConfigurationError(f"{folder / CONFIG_FILE}: default must be the name of a profile, not {name!r}")
    if name not in known:
        raise ConfigurationError(f"there is no profile {name!r} in {folder / CONFIG_FILE}{_others(known)}")
    return known[name]


def services(folder: Path) -> list[Path]:
    """The files of services on this machine, of the newest first; some may have been killed."""
    return sorted(folder.glob("*.toml"), reverse=True)


def alive(path: Path) -> bool:
    """Whether the service that keeps the file still runs: then it holds the file's lock."""
    if sys.platform == "win32":  # `jobtrack serve` does not run there
        return False
    else:
        import fcntl

        try:
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:  # any other error: it has just ended, or it is another user's
            return isinstance(error, BlockingIOError)
        return False


def _local(folder: Path) -> dict[str, Profile]:
    for path in services(folder):
        if alive(path) and (found := _profiles(_read(path), path)):
            return found
    return {}


def _others(known: Mapping[str, Profile]) -> str:
    return f"; there are: {', '.join(sorted(known))}" if known else ""


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def _profiles(config: Mapping[str, Any], path: Path) -> dict[str, Profile]:
    sections = config.get("profiles", {})
    if not isinstance(sections, dict):
        raise ConfigurationError(f"{path}: profiles must be tables such as [profiles.production]")
    return {name: _profile(section, f"{path}: profiles.{name}") for name, section in sections.items()}


def _profile(section: object, place: str) -> Profile:
    if not isinstance(section, dict):
        raise ConfigurationError(f"{place} must be a table")
    names = [field.name for field in fields(Profile)]
    for name, value in section.items():
        if name not in names:
            raise ConfigurationError(f"{place}.{name} is unknown; there are: {', '.join(names)}")
        if not isinstance(value, str) and not (name == "token_command" and _words(value)):
            raise ConfigurationError(f"{place}.{name} must be text")
    members: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in section.items()
    }
    return Profile(**members)


def _words(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)
