"""The command line with and without what the extra brings."""

import sys
from types import ModuleType

import pytest
import typer

from jobtrack_client import cli


class Commands(ModuleType):
    """Stands in for `jobtrack_local.cli`."""

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
def test_without_the_extra_a_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", None)
    line = f"jobtrack: {command[0]} needs what is not installed (jobtrack_local): pip install 'jobtrack[local]'"
    assert run(monkeypatch, *command) == line


def test_with_the_extra_its_commands_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", Commands("jobtrack_local.cli"))
    assert run(monkeypatch, "serve", "--port", "7") == 0
    assert capsys.readouterr().out == "serving on 7\n"


def test_a_package_that_is_missed_only_when_it_runs_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", Commands("jobtrack_local.cli"))
    line = "jobtrack: this command needs what is not installed (uvicorn): pip install 'jobtrack[local]'"
    assert run(monkeypatch, "serve", "--port", "1") == line


def test_a_module_of_our_own_that_is_missing_is_no_question_of_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jobtrack_local.cli", Commands("jobtrack_local.cli"))
    monkeypatch.setattr(sys, "argv", ["jobtrack", "serve", "--port", "2"])
    with pytest.raises(ModuleNotFoundError, match=r"jobtrack\.lost"):
        cli.main()


def test_an_unknown_command_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "dance") == 2
