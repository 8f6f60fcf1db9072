"""Print the sizes of the built layers, and check that Lambda can load them: `python -m scripts.layers BUILD_FOLDER`.

Exits with 1 if a wheel is not for CPython 3.13 on arm64 Linux, or a limit of Lambda is exceeded.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

MEBIBYTE = 1024 * 1024
ZIPPED_LIMIT = 50 * MEBIBYTE
"""Greatest size of a layer's archive that can be uploaded directly, in bytes."""
UNZIPPED_LIMIT = 250 * MEBIBYTE
"""Greatest size of a function with all its layers, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(17, 35)] + ["manylinux2014_aarch64", "linux_aarch64"]
"""Platforms of Amazon Linux 2023, on which python3.13 runs (glibc 2.34)."""
LOADED = frozenset(
    [*cpython_tags((3, 13), platforms=PLATFORMS), *compatible_tags((3, 13), "cp313", platforms=PLATFORMS)]
)


def tags(layer: Path) -> Iterator[tuple[str, frozenset[Tag]]]:
    """Yield each package of a layer, as `name-version`, and the tags of its wheel."""
    for file in sorted(layer.glob("python/*.dist-info/WHEEL")):
        lines = file.read_text().splitlines()
        names = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
        yield file.parent.stem, frozenset(tag for name in names for tag in parse_tag(name))


def find_unloadable(layer: Path) -> list[str]:
    """Return the packages of a layer that Lambda cannot load."""
    return [f"{name} is for {', '.join(sorted(map(str, found)))}" for name, found in tags(layer) if not found & LOADED]


def sizes(layer: Path) -> tuple[int, int]:
    """Return the sizes of a layer in bytes: unzipped, and as an archive."""
    archive, unzipped = io.BytesIO(), 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in sorted(path for path in layer.rglob("*") if path.is_file()):
            bundle.write(file, file.relative_to(layer))
            unzipped += file.stat().st_size
    return unzipped, len(archive.getvalue())


def main(build: Path) -> int:
    """Print the size and the wheels of each layer; return 1 if Lambda would refuse one."""
    faults, whole = list[str](), 0
    for layer in sorted(build.glob("*Layer")):
        unzipped, zipped = sizes(layer)
        whole += unzipped
        binary = sorted(name for name, found in tags(layer) if all(tag.abi != "none" for tag in found))
        compiled = any(layer.rglob("*.cpython-313.pyc"))
        print(f"{layer.name}: {_mebibytes(unzipped)} unzipped, {_mebibytes(zipped)} zipped (at most 50.0 MB)")
        print(f"  {len(list(tags(layer)))} wheels; of them for cp313 on arm64: {', '.join(binary) or 'none'}")
        print(f"  {'compiled for' if compiled else 'not compiled, because this machine has no'} Python 3.13")
        faults += find_unloadable(layer)
        if zipped > ZIPPED_LIMIT:
            faults.append(f"{layer.name} is too large to upload")
    print(f"both layers: {_mebibytes(whole)} unzipped (at most 250.0 MB with the function)")
    if whole > UNZIPPED_LIMIT:
        faults.append("the layers are too large for a function")
    for fault in faults:
        print(f"UNUSABLE IN LAMBDA: {fault}")
    return 1 if faults else 0


def _mebibytes(size: int) -> str:
    return f"{size / MEBIBYTE:.1f} MB"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
