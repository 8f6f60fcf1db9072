"""SAM's own transform, for the interpreter that has it: template and parameters as JSON in, CloudFormation out."""

import importlib
import json
import sys


class ManagedPolicies:
    """The account's managed policies, of which template.yaml names none."""

    def load(self) -> dict[str, str]:
        """By name."""
        return {}


def main() -> None:
    """Transform standard input into standard output."""
    given = json.load(sys.stdin)
    transform = importlib.import_module("samtranslator.translator.transform").transform
    json.dump(transform(given["template"], given["parameters"], ManagedPolicies()), sys.stdout)


if __name__ == "__main__":
    main()
