"""Check locked packages for known vulnerabilities: `python -m scripts.vulnerabilities FILE…`; exits with 1 for any.

pip-audit asks PyPI about the requirements of each FILE. If PyPI's vulnerability service does not respond, for example
behind a mirror that has packages only, the script says so and succeeds.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Found = Mapping[str, Any]
"""A package in pip-audit's output: `name`, and `version` and `vulns`, or `skip_reason`."""

ACCEPTED: Mapping[str, str] = {}
"""Ids of vulnerabilities that do not affect us, and why."""


def audit(file: str) -> list[Found]:
    """Return pip-audit's output for a file of requirements with hashes.

    Raises:
        RuntimeError: pip-audit failed.
    """
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", file]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[Found] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        raise RuntimeError(ran.stderr.strip() or "pip-audit printed nothing") from error
    return found


def vulnerabilities(packages: Iterable[Found]) -> Iterator[str]:
    """Yield a line for each vulnerability that is not accepted."""
    for package in packages:
        for each in package.get("vulns", ()):
            if ACCEPTED.keys().isdisjoint({each["id"], *each["aliases"]}):
                fixed = ", ".join(each["fix_versions"]) or "no version yet"
                yield f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}"


def summary(file: str, packages: list[Found], bad: int) -> str:
    """Return a line that says how many packages were checked."""
    known = sum("vulns" in package for package in packages)
    if not known:
        return f"{file}: NOT AUDITED: the vulnerability service does not know the {len(packages)} packages"
    return f"{file}: {bad} vulnerabilities in {known} packages, {len(packages) - known} not known to the service"


def main(files: list[str]) -> int:
    """Print the result for each file; return 1 if there is a vulnerability."""
    bad = 0
    for file in files:
        try:
            packages = audit(file)
        except RuntimeError as error:
            print(f"{file}: NOT AUDITED: {str(error).splitlines()[-1]}")
            continue
        lines = list(vulnerabilities(packages))
        print(*lines, summary(file, packages, len(lines)), sep="\n")
        bad += len(lines)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
