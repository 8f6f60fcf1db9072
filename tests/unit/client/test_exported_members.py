"""`__all__` is the public surface, and importing it loads little."""

import subprocess
import sys
from types import ModuleType

import jobtrack_client

_PRINT_HEAVY = """
import sys, jobtrack_client
heavy = {"asyncio", "boto3", "botocore", "fastapi", "httpx", "jobtrack", "jobtrack_local", "pydantic", "rich", "typer"}
print(*(heavy & set(sys.modules)))
"""


def test_all_is_sorted_and_is_what_there_is() -> None:
    public = [
        name
        for name, value in vars(jobtrack_client).items()
        if not name.startswith("_") and (name in ("models", "types") or not isinstance(value, ModuleType))
    ]
    assert sorted(jobtrack_client.__all__) == jobtrack_client.__all__ == sorted(public)


def test_each_public_error_is_in_the_tree() -> None:
    tree = jobtrack_client._exceptions.__doc__ or ""
    errors = [
        name
        for name in jobtrack_client.__all__
        if isinstance(kind := getattr(jobtrack_client, name), type) and issubclass(kind, Exception)
    ]
    assert len(errors) > 15
    assert [name for name in errors if name not in tree] == []


def test_importing_the_client_loads_nothing_heavy() -> None:
    ran = subprocess.run([sys.executable, "-c", _PRINT_HEAVY], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
