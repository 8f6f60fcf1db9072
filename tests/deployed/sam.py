"""Run SAM's own transform in the interpreter that has it: templates and parameters as JSON in, CloudFormation out."""

import importlib
import json
import sys


class ManagedPolicies:
    """The account's managed policies; template.yaml uses none."""

    def load(self) -> dict[str, str]:
        """Return the policies by name."""
        return {}


def main() -> None:
    """Transform each template of the list on standard input, and write the results to standard output."""
    transform = importlib.import_module("samtranslator.translator.transform").transform
    given = json.load(sys.stdin)
    json.dump([transform(each["template"], each["parameters"], ManagedPolicies()) for each in given], sys.stdout)


if __name__ == "__main__":
    main()
