"""Deploy the build with the parameters in samconfig.toml: `python -m scripts.deploy`. `--print` prints the command.

SAM publishes a new version of a function if its own code, memory or SnapStart changes, but not if a layer or a
parameter does. Therefore the template has the parameter ReleaseHash: a hash of the whole build and of all parameters.

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
    """The build cannot be deployed; the text says what to do."""


def main(arguments: list[str]) -> int:
    """Deploy, and return the exit code of `sam deploy`."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy", description=__doc__, allow_abbrev=False)
    parser.add_argument("--print", action="store_true", help="print the command instead of running it")
    options = parser.parse_args(arguments)
    try:
        sam = command(BUILD, CONFIG)
    except DeployError as error:
        print(f"NOT DEPLOYED: {error}", file=sys.stderr)
        return 1
    if options.print:
        print(shlex.join(sam))
        return 0
    return subprocess.run(sam, cwd=ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=False).returncode


def command(build: Path, config: Path) -> list[str]:
    """Return `sam deploy` with every parameter of the configuration and the hash of this release.

    Raises:
        DeployError: nothing was built, or the configuration and the template name different parameters.
    """
    configured = overrides(config)
    values = {**configured, RELEASE: release_hash(build, all_values(build, configured))}
    return [
        str(SAM),
        "deploy",
        "--parameter-overrides",
        *(f"{name}={_quoted(value)}" for name, value in values.items()),
    ]


def all_values(build: Path, configured: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each parameter of the template, including defaults, without the hash itself.

    Raises:
        DeployError: nothing was built, or a parameter is unknown or has no value.
    """
    known = {name: each.get("Default") for name, each in _template(build)["Parameters"].items() if name != RELEASE}
    if unknown := sorted(configured.keys() - known.keys()):
        raise DeployError(f"the template has no parameter {', '.join(unknown)}")
    values = {name: configured.get(name, default) for name, default in known.items()}
    if missing := [name for name, value in values.items() if value is None]:
        raise DeployError(f"{', '.join(missing)} has no value: add it to parameter_overrides in {CONFIG.name}")
    return {name: str(value) for name, value in values.items()}


def overrides(config: Path) -> dict[str, str]:
    """Return the parameters in samconfig.toml: a table, a list of NAME=VALUE, or the text of `sam deploy --guided`.

    Raises:
        DeployError: they have another form.
    """
    configured = _configured(config)
    if isinstance(configured, dict):
        return {name: _text(value) for name, value in configured.items()}
    if not isinstance(configured, (str, list)):
        raise DeployError(f"parameter_overrides must be a table, a list of NAME=VALUE, or a text, not {configured}")
    pairs = [pair for line in ([configured] if isinstance(configured, str) else configured) for pair in _split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


def _configured(config: Path) -> Any:
    try:
        sections: Any = tomllib.loads(config.read_text())
    except tomllib.TOMLDecodeError as error:
        raise DeployError(f"{config.name} cannot be read: {error}") from error
    return sections.get("default", {}).get("deploy", {}).get("parameters", {}).get("parameter_overrides", {})


def _split(line: object) -> list[str]:
    """Return the pairs NAME=VALUE of a text. A value in quotes may contain spaces."""
    try:
        pairs = shlex.split(line) if isinstance(line, str) else [str(line)]
    except ValueError as error:
        raise DeployError(f"parameter_overrides cannot be read: {error}") from error
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise DeployError(f"parameter_overrides must be NAME=VALUE, not {wrong[0]}")
    return pairs


def release_hash(build: Path, values: Mapping[str, str]) -> str:
    """Return a hash of the built template, of every file in its sibling folders, and of the parameters' values."""
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
    """Return the built template, which SAM writes without short tags."""
    path = build / "template.yaml"
    if not path.is_file():
        raise DeployError("there is no build: run make build")
    template: dict[str, Any] = yaml.safe_load(path.read_text())
    return template


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _quoted(value: str) -> str:
    """Return the value in the quotes that `sam deploy` needs for spaces."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
