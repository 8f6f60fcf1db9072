"""Loading a function's code by its file."""

import sys
from importlib import import_module
from types import ModuleType

import pytest

from jobtrack_local.errors import LocalError
from jobtrack_local.stack import ROOT, load_function

FOLDER = "functions/api/docs"
NAME = "functions.api.docs.app"


def test_a_function_is_loaded_once_and_is_the_module_that_an_import_finds() -> None:
    app = load_function(f"{FOLDER}/")
    assert app.__file__ == str(ROOT / FOLDER / "app.py")
    assert load_function(FOLDER) is app
    assert import_module(NAME) is app


def test_a_module_of_the_same_name_from_another_folder_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType(NAME)
    other.__file__ = "/elsewhere/app.py"
    monkeypatch.setitem(sys.modules, NAME, other)
    assert load_function(FOLDER).__file__ == str(ROOT / FOLDER / "app.py")


def test_a_function_without_code_is_an_error() -> None:
    with pytest.raises(LocalError, match=r"none/app.py, which does not exist"):
        load_function("functions/none")
