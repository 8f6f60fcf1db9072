"""Profiles: named services in `config.toml`, and `local`, which is the newest running `jobtrack serve`.

Each `jobtrack serve` writes a file into the folder `services`, and locks it while it runs.

A table `[profiles.NAME]` in `config.toml` has the members of `Profile`. `default` names the profile that is used if no
other is chosen.
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
HOME_VARIABLE = "JOBTRACK_HOME"


@dataclass(frozen=True, slots=True)
class Profile:
    """A service and its caller. The token is `token`, or the output of `token_command` (a line, or a list of words)."""

    url: str | None = None
    tenant: str | None = None
    project: str | None = None
    token: str | None = None
    token_command: str | tuple[str, ...] | None = None
    page: str | None = None
    """The URL of the live page, if the service does not serve it."""

    def __repr__(self) -> str:
        """Return everything but the token and its command."""
        return f"Profile(url={self.url!r}, tenant={self.tenant!r}, project={self.project!r})"


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this user's profiles and of the local service's key: JOBTRACK_HOME, or the default."""
    if chosen := environ.get(HOME_VARIABLE):
        return Path(chosen)
    import platformdirs  # imported here, because programs that name a service do not need it

    return platformdirs.user_config_path("jobtrack")


def profile(environ: Mapping[str, str] = os.environ) -> Profile:
    """Return the profile of JOBTRACK_PROFILE, else the default of `config.toml`, else `local`, else an empty one.

    Raises:
        ConfigurationError: there is no profile of that name, or a file cannot be read.
    """
    folder = home(environ)
    config = _read(folder / CONFIG_FILE)
    profiles = {**_local(folder / SERVICES), **_profiles(config, folder / CONFIG_FILE)}
    name = environ.get(VARIABLE, "").strip() or config.get("default")
    if name is None:
        return profiles.get(LOCAL, Profile())
    if not isinstance(name, str):
        raise ConfigurationError(f"{folder / CONFIG_FILE}: default must be the name of a profile, not {name!r}")
    if name not in profiles:
        raise ConfigurationError(f"there is no profile {name!r} in {folder / CONFIG_FILE}{_others(profiles)}")
    return profiles[name]


def services(folder: Path) -> list[Path]:
    """Return the files of the services on this machine, newest first. Some of these services may have been killed."""
    return sorted(folder.glob("*.toml"), reverse=True)


def alive(path: Path) -> bool:
    """Return whether the service of a file is running: it holds the file's lock."""
    if sys.platform == "win32":  # `jobtrack serve` does not run there
        return False
    else:
        import fcntl

        try:
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:  # any other error: the service has just ended, or belongs to another user
            return isinstance(error, BlockingIOError)
        return False


def _local(folder: Path) -> dict[str, Profile]:
    for path in services(folder):
        if alive(path) and (found := _profiles(_read(path), path)):
            return found
    return {}


def _others(profiles: Mapping[str, Profile]) -> str:
    return f"; allowed: {', '.join(sorted(profiles))}" if profiles else ""


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
            raise ConfigurationError(f"{place}.{name} is unknown; allowed: {', '.join(names)}")
        if not isinstance(value, str) and not (name == "token_command" and _words(value)):
            raise ConfigurationError(f"{place}.{name} must be text")
    members: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in section.items()
    }
    return Profile(**members)


def _words(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)
