"""Puts the files of the stack into the wheel of the service; see docs/decisions/packages.md."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StackFiles(BuildHookInterface[Any]):
    """Adds the files of the stack to a wheel, but not to an editable install, which finds them in the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files before the wheel is built."""
        if version == "standard":
            names = ("functions", "template.yaml", "web")
            build_data["force_include"] |= {name: f"jobtrack_local/stack_files/{name}" for name in names}
