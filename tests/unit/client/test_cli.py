"""The command line with and without the extra `local`."""

import sys
from types import ModuleType

import pytest
import typer

from jobtrack_client import cli


class Commands(ModuleType):
    """Replaces `jobtrack_local.cli`."""

    def commands(self, app: typer.Typer) -> None:
        @app.command()
        def serve(port: int = 8000) -> None:
            if port == 1:
                raise ModuleNotFoundError("No module named 'uvicorn.config'", name="uvicorn.config")
            if port == 2:
                raise ModuleNotFoundError("No module named 'jobtrack.lost'", name="jobtrack.lost")
            print(f"serving on {port}")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["jobtrack", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@pytest.mark.parametrize("command", [["serve", "--port", "1"], ["demo", "--once"], ["token", "--tenant", "x"]])
def test_without_the_extra_a_command_prints_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", None)
    missing = "the package jobtrack_local, which is not installed: pip install 'jobtrack[local]'"
    assert run(monkeypatch, *command) == f"jobtrack: {command[0]} needs {missing}"


def test_with_the_extra_its_commands_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", Commands("jobtrack_local.cli"))
    assert run(monkeypatch, "serve", "--port", "7") == 0
    assert capsys.readouterr().out == "serving on 7\n"


def test_a_package_that_is_missing_only_when_the_command_runs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", Commands("jobtrack_local.cli"))
    missing = "the package uvicorn, which is not installed: pip install 'jobtrack[local]'"
    assert run(monkeypatch, "serve", "--port", "1") == f"jobtrack: this command needs {missing}"


def test_a_missing_module_of_jobtrack_itself_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", Commands("jobtrack_local.cli"))
    monkeypatch.setattr(sys, "argv", ["jobtrack", "serve", "--port", "2"])
    with pytest.raises(ModuleNotFoundError, match=r"jobtrack\.lost"):
        cli.main()


def test_an_unknown_command_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "dance") == 2
