"""Certificates of an authority that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Authority:
    """What a certificate authority gave out, as PEM files."""

    certificate: Path
    server: Path
    client_certificate: Path
    client_key: Path


def make_authority(folder: Path, host: str = "127.0.0.1") -> Authority:
    """An authority, a server for one address or name, and a client."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("authority", key, key, "authority", None)
    made = Authority(
        certificate=folder / "ca.crt",
        server=folder / "server.pem",
        client_certificate=folder / "client.crt",
        client_key=folder / "client.key",
    )
    made.certificate.write_bytes(root)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _certificate("server", server_key, key, "authority", host)
    made.server.write_bytes(_private(server_key) + server)
    client_key = ec.generate_private_key(ec.SECP256R1())
    made.client_certificate.write_bytes(_certificate("client", client_key, key, "authority", host))
    made.client_key.write_bytes(_private(client_key))
    return made


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: str,
    host: str | None,
) -> bytes:
    """PEM of an authority's certificate, or with `host` of one that it signed."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if host is not None:
        names = x509.SubjectAlternativeName([_general_name(host)])
        builder = builder.add_extension(names, critical=False)
    signed = builder.sign(issuer_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
