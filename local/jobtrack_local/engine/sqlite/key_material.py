"""The keys of KMS, and the values in the database that reveal a wrong or lost key file.

A ciphertext is a version byte, the key's id, a nonce of 96 bits, and AES-256-GCM's output.
"""

import secrets
import sqlite3
import uuid
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from jobtrack_local.errors import LocalError

FORMAT = 1
"""The format of the stored keys; a newer one is refused."""
_VERSION = b"\x01"
"""The format of ciphertexts."""
_NONCE = 12
_CHECK = b"jobtrack"
_TABLE = "CREATE TABLE IF NOT EXISTS key_checks (id TEXT PRIMARY KEY, sealed BLOB NOT NULL)"


class KeyMaterial(Struct, frozen=True):
    """Keys of 256 bits by their ids, and ids by their aliases."""

    keys: dict[str, bytes] = {}
    aliases: dict[str, str] = {}
    format: int = FORMAT

    def with_key(self, id: str) -> "KeyMaterial":
        """Return the material with a new key."""
        return KeyMaterial({**self.keys, id: secrets.token_bytes(32)}, self.aliases)

    def with_alias(self, name: str, id: str) -> "KeyMaterial":
        """Return the material with an alias for a key."""
        return KeyMaterial(self.keys, {**self.aliases, name: id})

    def merge(self, other: "KeyMaterial") -> "KeyMaterial":
        """Return the keys and aliases of both; for an alias that both have, `other` decides."""
        return KeyMaterial({**self.keys, **other.keys}, {**self.aliases, **other.aliases})

    def seal(self, id: str, plain: bytes, associated: bytes) -> bytes:
        """Encrypt with a key."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + uuid.UUID(id).bytes + nonce + AESGCM(self.keys[id]).encrypt(nonce, plain, associated)

    def key_of(self, sealed: bytes) -> str | None:
        """Return the id of the key that a ciphertext needs; None if it is no ciphertext or there is no such key."""
        id = str(uuid.UUID(bytes=sealed[1:17])) if len(sealed) > 17 + _NONCE else ""
        return id if sealed[:1] == _VERSION and id in self.keys else None

    def open(self, sealed: bytes, associated: bytes) -> bytes | None:
        """Decrypt; returns None if the key is missing, or the ciphertext or the associated data were changed."""
        id = self.key_of(sealed)
        if id is None:
            return None
        nonce, rest = sealed[17 : 17 + _NONCE], sealed[17 + _NONCE :]
        try:
            return AESGCM(self.keys[id]).decrypt(nonce, rest, associated)
        except InvalidTag:
            return None


class _Header(Struct):
    """The member that all formats have."""

    format: int = FORMAT


def parse(text: bytes, source: Path) -> KeyMaterial:
    """Parse the text of a key file.

    Raises:
        LocalError: the text is invalid, or a newer version wrote it.
    """
    try:
        stored = msgspec.json.decode(text, type=_Header).format
        if stored > FORMAT:
            raise LocalError(f"{source} was written by a newer version of jobtrack (format {stored})")
        return msgspec.json.decode(text, type=KeyMaterial)
    except msgspec.DecodeError as error:
        raise LocalError(f"cannot read the keys in {source}: {error}") from error


dump = msgspec.json.encode


def prepare(connection: sqlite3.Connection) -> None:
    """Create the table of values that a key must decrypt. Delete the keys in a backup that was copied by hand."""
    delete_copy(connection)
    connection.execute(_TABLE)


def has_copy(connection: sqlite3.Connection) -> bool:
    """Return whether the database is a backup, which has the keys in a table."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'backup_keys'").fetchone()
    return found is not None


def store_copy(connection: sqlite3.Connection, material: KeyMaterial) -> None:
    """Store the keys in the database itself, which makes it a backup."""
    delete_copy(connection)
    connection.execute("CREATE TABLE backup_keys (material BLOB NOT NULL)")
    connection.execute("INSERT INTO backup_keys VALUES (?)", (dump(material),))


def read_copy(connection: sqlite3.Connection, source: Path) -> KeyMaterial:
    """Return the keys in a backup."""
    ((text,),) = connection.execute("SELECT material FROM backup_keys").fetchall()
    return parse(text, source)


def delete_copy(connection: sqlite3.Connection) -> None:
    """Delete the keys in a database, if it has any."""
    connection.execute("DROP TABLE IF EXISTS backup_keys")


def add_check(connection: sqlite3.Connection, material: KeyMaterial, id: str) -> None:
    """Store a value that the key must decrypt from now on."""
    connection.execute("INSERT INTO key_checks VALUES (?, ?)", (id, material.seal(id, _CHECK, b"")))


def check(connection: sqlite3.Connection, material: KeyMaterial, source: Path) -> None:
    """Check that the keys are those of the database.

    Raises:
        LocalError: a key is missing or wrong, so secrets in the database cannot be decrypted; or the database has lost
            its contents.
    """
    checks = connection.execute("SELECT sealed FROM key_checks").fetchall()
    for (sealed,) in checks:
        if material.open(sealed, b"") != _CHECK:
            raise LocalError(f"{source} does not hold the keys of this database; its secrets cannot be decrypted")
    if material.aliases and not checks:  # a key gets its alias after its check
        folder = source.parent
        raise LocalError(f"{folder} has lost its data; restore a backup, or delete {folder} to start without data")
