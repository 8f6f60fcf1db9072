"""Deploy what was built: `python -m scripts.deploy`, with the parameters in samconfig.toml. `--print` only shows how.

SAM publishes a new version of a function when its own code, memory or SnapStart changes, but not when a layer or a
parameter does. So the template's ReleaseHash decides: a hash of all that was built and of all parameters.

https://github.com/aws/aws-sam-cli/issues/7775, https://github.com/aws/serverless-application-model/issues/3820
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
BUILD = ROOT / ".aws-sam" / "build"
CONFIG = ROOT / "samconfig.toml"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
RELEASE = "ReleaseHash"


class DeployError(Exception):
    """It cannot be deployed; the text says what to do."""


def main(arguments: list[str]) -> int:
    """Deploy; the exit code of `sam deploy`."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy", description=__doc__, allow_abbrev=False)
    parser.add_argument("--print", action="store_true", help="print the command instead of running it")
    told = parser.parse_args(arguments)
    try:
        sam = command(BUILD, CONFIG)
    except DeployError as error:
        print(f"NOT DEPLOYED: {error}", file=sys.stderr)
        return 1
    if told.print:
        print(shlex.join(sam))
        return 0
    return subprocess.run(sam, cwd=ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=False).returncode


def command(build: Path, config: Path) -> list[str]:
    """`sam deploy` with every parameter that the configuration names, and the hash of this release.

    Raises:
        DeployError: nothing was built, or the configuration and the template name different parameters.
    """
    stated = overrides(config)
    values = {**stated, RELEASE: release_hash(build, all_values(build, stated))}
    return [
        str(SAM),
        "deploy",
        "--parameter-overrides",
        *(f"{name}={_quoted(value)}" for name, value in values.items()),
    ]


def all_values(build: Path, stated: Mapping[str, str]) -> dict[str, str]:
    """The value of each of the template's parameters, the defaults included, without the hash itself.

    Raises:
        DeployError: nothing was built, or a parameter is unknown or has no value.
    """
    known = {name: each.get("Default") for name, each in _template(build)["Parameters"].items() if name != RELEASE}
    if unknown := sorted(stated.keys() - known.keys()):
        raise DeployError(f"the template has no parameter {', '.join(unknown)}")
    values = {name: stated.get(name, default) for name, default in known.items()}
    if missing := [name for name, value in values.items() if value is None]:
        raise DeployError(f"{', '.join(missing)} has no value: add it to parameter_overrides in {CONFIG.name}")
    return {name: str(value) for name, value in values.items()}


def overrides(config: Path) -> dict[str, str]:
    """The parameters in samconfig.toml: a table, a list of NAME=VALUE, or the text that `sam deploy --guided` writes.

    Raises:
        DeployError: it is neither.
    """
    stated = _stated(config)
    if isinstance(stated, dict):
        return {name: _text(value) for name, value in stated.items()}
    if not isinstance(stated, (str, list)):
        raise DeployError(f"parameter_overrides must be a table, a list of NAME=VALUE, or a text, not {stated}")
    pairs = [pair for line in ([stated] if isinstance(stated, str) else stated) for pair in _split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


def _stated(config: Path) -> Any:
    try:
        sections: Any = tomllib.loads(config.read_text())
    except tomllib.TOMLDecodeError as error:
        raise DeployError(f"{config.name} cannot be read: {error}") from error
    return sections.get("default", {}).get("deploy", {}).get("parameters", {}).get("parameter_overrides", {})


def _split(line: object) -> list[str]:
    """The pairs NAME=VALUE of a text, where quotes keep spaces in a value."""
    try:
        pairs = shlex.split(line) if isinstance(line, str) else [str(line)]
    except ValueError as error:
        raise DeployError(f"parameter_overrides cannot be read: {error}") from error
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise DeployError(f"parameter_overrides must be NAME=VALUE, not {wrong[0]}")
    return pairs


def release_hash(build: Path, values: Mapping[str, str]) -> str:
    """A hash of the built template, of every file in the folders beside it, and of the parameters' values."""
    whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for path in sorted(_files(build)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(build).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _files(build: Path) -> Iterator[Path]:
    yield build / "template.yaml"
    for folder in build.iterdir():
        if folder.is_dir():
            yield from (path for path in folder.rglob("*") if path.is_file())


def _template(build: Path) -> dict[str, Any]:
    """The built template; SAM writes it without short tags."""
    path = build / "template.yaml"
    if not path.is_file():
        raise DeployError("nothing is built yet: run make build")
    template: dict[str, Any] = yaml.safe_load(path.read_text())
    return template


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _quoted(value: str) -> str:
    """As `sam deploy` reads a value that may hold spaces."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
