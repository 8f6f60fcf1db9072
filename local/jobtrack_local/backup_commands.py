"""The commands `backup` and `restore`."""

from pathlib import Path
from typing import Annotated

import typer

from jobtrack_local import folders
from jobtrack_local.command_errors import one_line
from jobtrack_local.engine.data_lock import lock_data
from jobtrack_local.errors import LocalError

DataOption = Annotated[Path | None, typer.Option(help="Folder of the data. [default: this user's data folder]")]


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    data: DataOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write all data of `serve` to one file, while it runs or not. The file has secrets; only you can read it."""
    with one_line():
        from jobtrack_local.engine.sqlite import backups

        folder = data or folders.data_folder()
        _require_outside(file, folder)
        if file.exists() and not force:
            raise LocalError(f"{file} exists; --force replaces it")
        backups.write(_sqlite_folder(folder), file)
        print(f"Backed up {folder} to {file}")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `jobtrack backup` wrote.")],
    data: DataOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the data that the folder holds.")] = False,
) -> None:
    """Put the data of a backup into an empty folder. No service may use the folder."""
    with one_line():
        from jobtrack_local.engine.engines import SQLITE, require_own_data
        from jobtrack_local.engine.sqlite import backups

        backups.check(file)
        with lock_data(data or folders.data_folder(), patience=0) as lock:
            require_own_data(SQLITE, lock.folder)
            if not lock.empty and not force:
                raise LocalError(f"{lock.folder} is not empty; --force replaces its data")
            backups.restore(file, lock.subfolder(SQLITE))
            print(f"Restored {file} to {lock.folder}")


def _require_outside(file: Path, data: Path) -> None:
    """Check that a backup replaces no data. A link to them may be replaced, so only the file's folder is resolved."""
    if file.parent.resolve().is_relative_to(data.resolve()):
        raise LocalError(f"{file} is in the folder of the data; choose a file outside {data}")


def _sqlite_folder(data: Path) -> Path:
    """Return the embedded engine's folder.

    Raises:
        LocalError: the data folder has no data of the embedded engine.
    """
    from jobtrack_local.engine.engines import DYNAMODB_LOCAL, SQLITE
    from jobtrack_local.engine.sqlite.engine import DATABASE

    folders.require_no_file(data)
    if (data / SQLITE / DATABASE).is_file():
        return data / SQLITE
    if (data / DYNAMODB_LOCAL).is_dir():
        raise LocalError(f"{data} holds data of dynamodb-local; a backup needs the engine sqlite")
    raise LocalError(f"there is no data in {data}")
