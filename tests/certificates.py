"""A certificate authority for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certified:
    """Files: the authority's certificate, and a server's key with its certificate."""

    authority: Path
    server: Path


NOW = datetime.now(UTC)
DAY = timedelta(days=1)
VALID = (NOW - DAY, NOW + DAY)


def certify(folder: Path, host: str, valid: tuple[datetime, datetime] = VALID, self_signed: bool = False) -> Certified:
    """Create an authority and a server certificate, signed by the authority or by the server itself."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _builder("Authority", root).add_extension(x509.BasicConstraints(True, None), True)
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    signer, giver = (key, host) if self_signed else (root, "Authority")
    server = _builder(host, key, giver, valid).add_extension(names, False).sign(signer, hashes.SHA256())
    made = Certified(folder / "authority.pem", folder / "server.pem")
    made.authority.write_bytes(issuer.sign(root, hashes.SHA256()).public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made.server.write_bytes(private + server.public_bytes(Encoding.PEM))
    return made


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str | None = None, valid: tuple[datetime, datetime] = VALID
) -> x509.CertificateBuilder:
    subject, giver = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer or name))
    return x509.CertificateBuilder(giver, subject, key.public_key(), x509.random_serial_number(), *valid)
