"""The files of the stack: template.yaml, the functions' code and the live page."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from jobtrack_local.errors import LocalError

_IN_THE_WHEEL = Path(__file__).parent / "stack_files"

ROOT = _IN_THE_WHEEL if _IN_THE_WHEEL.is_dir() else Path(__file__).parents[2]
"""The folder that holds template.yaml, `functions` and `web`: in the wheel, or the repository."""


def load_function(folder: str) -> ModuleType:
    """Load `app.py` of a function's folder, given as CodeUri, once; return the same module from then on.

    The file is found by its path. An import by name could find a folder `functions` in the working directory.

    Raises:
        LocalError: the file does not exist.
    """
    path = ROOT / folder / "app.py"
    name = ".".join([*Path(folder).parts, path.stem])
    loaded = sys.modules.get(name)
    return loaded if loaded and loaded.__file__ == str(path) else _load(name, path)


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise LocalError(f"template.yaml names {path}, which does not exist")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
