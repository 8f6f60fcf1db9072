"""Look for known vulnerabilities in what is locked: `python -m scripts.vulnerabilities FILE…`; exits with 1 for one.

The requirements of each FILE are asked of PyPI by pip-audit. Where that service has no answer, such as behind a mirror
that holds packages alone, this says so and fails nobody.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Found = Mapping[str, Any]
"""A package as pip-audit tells of it: `name`, and `version` and `vulns`, or `skip_reason`."""

ACCEPTED: Mapping[str, str] = {}
"""Ids of vulnerabilities that do not concern us, and why."""


def audit(file: str) -> list[Found]:
    """What pip-audit found of a file of requirements with hashes.

    Raises:
        RuntimeError: it could not look.
    """
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", file]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[Found] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        raise RuntimeError(ran.stderr.strip() or "pip-audit said nothing") from error
    return found


def vulnerabilities(packages: Iterable[Found]) -> Iterator[str]:
    """A line for each vulnerability that is not accepted."""
    for package in packages:
        for each in package.get("vulns", ()):
            if ACCEPTED.keys().isdisjoint({each["id"], *each["aliases"]}):
                mended = ", ".join(each["fix_versions"]) or "no version yet"
                yield f"{package['name']} {package['version']}: {each['id']}, mended in {mended}"


def summary(file: str, packages: list[Found], bad: int) -> str:
    """What was looked at."""
    known = sum("vulns" in package for package in packages)
    if not known:
        return f"{file}: NOT AUDITED: the service that knows vulnerabilities has no answer for {len(packages)} packages"
    return f"{file}: {bad} vulnerabilities in {known} packages, {len(packages) - known} not known to the service"


def main(files: list[str]) -> int:
    """Print what was found; 1 for a vulnerability."""
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
