"""KMS's operations that this project uses: symmetric keys whose material lies in a file beside the database.

A ciphertext is a version byte, the key's id, a nonce of 96 bits, and AES-256-GCM's output. The encryption context is
its associated data, as in KMS: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

import json
import secrets
import threading
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jobtrack_local.engine.sqlite import durable_files
from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.errors import LocalError

ACCOUNT, REGION = "000000000000", "us-east-1"
LARGEST_PLAINTEXT = 4096
_VERSION = b"\x01"
_NONCE = 12

Params = Mapping[str, Any]
Response = dict[str, Any]


class Kms:
    """The keys in a file of mode 0600; a new key is on the disk before anything is encrypted with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._content: dict[str, dict[str, str]] = {"keys": {}, "aliases": {}}
        if path.exists():
            self._content = _read(path)

    def create_key(self, params: Params) -> Response:
        """Create a key."""
        id = str(uuid.uuid4())
        self._add("keys", id, b64encode(secrets.token_bytes(32)).decode())
        return {"KeyMetadata": _metadata(id)}

    def create_alias(self, params: Params) -> Response:
        """Give a key a name."""
        self._add("aliases", params["AliasName"], params["TargetKeyId"])
        return {}

    def _add(self, part: str, name: str, value: str) -> None:
        with self._lock:
            content = {**self._content, part: {**self._content[part], name: value}}
            durable_files.replace(self._path, json.dumps(content).encode())
            self._content = content

    def describe_key(self, params: Params) -> Response:
        """Describe a key by its id, ARN or alias."""
        return {"KeyMetadata": _metadata(self._id(params["KeyId"]))}

    def encrypt(self, params: Params) -> Response:
        """Encrypt up to 4,096 bytes."""
        if len(params["Plaintext"]) > LARGEST_PLAINTEXT:
            raise Refused("ValidationException", f"1 validation error detected: at most {LARGEST_PLAINTEXT} bytes")
        id, nonce = self._id(params["KeyId"]), secrets.token_bytes(_NONCE)
        sealed = self._cipher(id).encrypt(nonce, bytes(params["Plaintext"]), _associated(params))
        blob = _VERSION + uuid.UUID(id).bytes + nonce + sealed
        return {"CiphertextBlob": blob, "KeyId": _arn(id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def decrypt(self, params: Params) -> Response:
        """Decrypt what `encrypt` returned, with the same context."""
        blob = bytes(params["CiphertextBlob"])
        id = str(uuid.UUID(bytes=blob[1:17])) if len(blob) > 17 + _NONCE else ""
        if blob[:1] != _VERSION or id not in self._content["keys"]:
            raise Refused("InvalidCiphertextException", "")
        if "KeyId" in params and self._id(params["KeyId"]) != id:
            raise Refused(
                "IncorrectKeyException",
                "The key ID does not identify the key that encrypted the ciphertext.",
            )
        try:
            plain = self._cipher(id).decrypt(blob[17 : 17 + _NONCE], blob[17 + _NONCE :], _associated(params))
        except InvalidTag:
            raise Refused("InvalidCiphertextException", "") from None
        return {"Plaintext": plain, "KeyId": _arn(id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def _cipher(self, id: str) -> AESGCM:
        return AESGCM(b64decode(self._content["keys"][id]))

    def _id(self, name: str) -> str:
        id = name.rpartition("/")[2] if name.startswith("arn:") else self._content["aliases"].get(name, name)
        if id not in self._content["keys"]:
            raise Refused("NotFoundException", f"Key '{name}' does not exist")
        return id


def _arn(id: str) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}"


def _metadata(id: str) -> Response:
    return {"KeyId": id, "Arn": _arn(id), "Enabled": True, "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT"}


def _associated(params: Params) -> bytes:
    return json.dumps(params.get("EncryptionContext", {}), sort_keys=True).encode()


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        content: dict[str, dict[str, str]] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise LocalError(f"cannot read the keys in {path}: {error}") from error
    return content
