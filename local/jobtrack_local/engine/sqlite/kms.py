"""KMS's operations that this project uses: symmetric keys whose material is in a file next to the database.

The encryption context is the associated data of a ciphertext, as in KMS:
https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

import json
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobtrack_local import folders
from jobtrack_local.engine.sqlite import durable_files, key_material
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.key_material import KeyMaterial
from jobtrack_local.engine.sqlite.refusals import Refused

ACCOUNT, REGION = "000000000000", "us-east-1"
LARGEST_PLAINTEXT = 4096

Params = Mapping[str, Any]
Response = dict[str, Any]


class Kms:
    """The keys in a file of mode 0600; a new key is on the disk before anything is encrypted with it.

    Raises:
        LocalError: the file is not the one that belongs to the database.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self._path = path
        self._database = database
        self._lock = threading.Lock()
        self._material = read_file(path)
        database.write(key_material.prepare)
        key_material.check(database.reader, self._material, path)

    def create_key(self, params: Params) -> Response:
        """Create a key."""
        id = str(uuid.uuid4())
        with self._lock:
            self._store(self._material.with_key(id))
        self._database.write(lambda connection: key_material.add_check(connection, self._material, id))
        return {"KeyMetadata": _metadata(id)}

    def create_alias(self, params: Params) -> Response:
        """Give a key an alias."""
        with self._lock:
            self._store(self._material.with_alias(params["AliasName"], params["TargetKeyId"]))
        return {}

    def _store(self, material: KeyMaterial) -> None:
        durable_files.replace(self._path, key_material.dump(material))
        self._material = material

    def describe_key(self, params: Params) -> Response:
        """Describe a key by its id, ARN or alias."""
        return {"KeyMetadata": _metadata(self._id(params["KeyId"]))}

    def encrypt(self, params: Params) -> Response:
        """Encrypt up to 4,096 bytes."""
        if len(params["Plaintext"]) > LARGEST_PLAINTEXT:
            raise Refused("ValidationException", f"1 validation error detected: at most {LARGEST_PLAINTEXT} bytes")
        id = self._id(params["KeyId"])
        sealed = self._material.seal(id, bytes(params["Plaintext"]), _associated(params))
        return {"CiphertextBlob": sealed, "KeyId": _arn(id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def decrypt(self, params: Params) -> Response:
        """Decrypt what `encrypt` returned, with the same context."""
        sealed = bytes(params["CiphertextBlob"])
        id = self._material.key_of(sealed)
        if id is None:
            raise Refused("InvalidCiphertextException", "")
        if "KeyId" in params and self._id(params["KeyId"]) != id:
            raise Refused(
                "IncorrectKeyException",
                "The key ID does not identify the key that encrypted the ciphertext.",
            )
        plain = self._material.open(sealed, _associated(params))
        if plain is None:
            raise Refused("InvalidCiphertextException", "")
        return {"Plaintext": plain, "KeyId": _arn(id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def _id(self, name: str) -> str:
        id = name.rpartition("/")[2] if name.startswith("arn:") else self._material.aliases.get(name, name)
        if id not in self._material.keys:
            raise Refused("NotFoundException", f"Key '{name}' does not exist")
        return id


def read_file(path: Path) -> KeyMaterial:
    """Return the keys of a file, or no keys if it does not exist.

    Raises:
        LocalError: the file cannot be read.
    """
    with folders.describe_errors(f"read {path}"):
        text = path.read_bytes() if path.exists() else b"{}"
    return key_material.parse(text, path)


def _arn(id: str) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}"


def _metadata(id: str) -> Response:
    return {"KeyId": id, "Arn": _arn(id), "Enabled": True, "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT"}


def _associated(params: Params) -> bytes:
    return json.dumps(params.get("EncryptionContext", {}), sort_keys=True).encode()
