"""Print the files and requirements of the wheels in a folder: `python -m scripts.wheels FOLDER`."""

import sys
import zipfile
from email.parser import Parser
from pathlib import Path


def files(wheel: Path) -> dict[str, int]:
    """Return the size in bytes of each file."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def packages(wheel: Path) -> set[str]:
    """Return the top-level names that the wheel installs, without its metadata."""
    return {name.partition("/")[0] for name in files(wheel) if ".dist-info/" not in name}


def requirements(wheel: Path) -> list[str]:
    """Return the requirements in the metadata of the wheel, those of its extras included."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist", [])


def main(folder: Path) -> None:
    """Print each wheel."""
    for wheel in sorted(folder.glob("*.whl")):
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes, installs {', '.join(sorted(packages(wheel)))}")
        for requirement in requirements(wheel):
            print(f"  requires {requirement}")
        for name, size in files(wheel).items():
            print(f"  {size:9,}  {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
