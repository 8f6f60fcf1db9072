"""Where the stack lies: template.yaml, the functions' code and the live page."""

from pathlib import Path

_IN_THE_WHEEL = Path(__file__).parent / "stack_files"

ROOT = _IN_THE_WHEEL if _IN_THE_WHEEL.is_dir() else Path(__file__).parents[2]
"""The folder that holds template.yaml, `functions` and `web`: within the wheel, or the repository."""
