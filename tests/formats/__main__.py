"""Create the fixture folder of the newest format: `python -m tests.formats NAME`.

NAME is `format-` and a number. A folder of a released format is never changed.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.formats import folder
from tests.formats.project import fill, serving

END = 100
"""When the answers are read, in seconds after the start."""


def main() -> None:
    """Create the folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.formats", description=__doc__)
    parser.add_argument("name", help="name of the folder, such as format-1")
    target = folder.FOLDERS / parser.parse_args().name
    with tempfile.TemporaryDirectory() as name:
        _make(Path(name), target)
    print(f"created {target}")


def _make(work: Path, target: Path) -> None:
    data = work / "data"
    with serving(data, 0) as world:
        subscriptions = fill(world)
    folder.quarantine(data)
    folder.shrink(data)
    shutil.rmtree(target, ignore_errors=True)
    folder.copy(data, target)
    with serving(folder.copy(target, work / "copy" / "data"), END) as reader:
        answers = reader.read(subscriptions)
    folder.write_answers(target, {"answers": answers, "subscriptions": subscriptions, "secrets": world.secrets})


if __name__ == "__main__":
    main()
