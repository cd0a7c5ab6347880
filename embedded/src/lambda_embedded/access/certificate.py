"""The certificate of the Kubernetes API: kubectl sends a token over TLS only.

It is self-signed; only clients with the kubeconfig that holds it trust it.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lambda_embedded.private_files import write_private

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "kn-lambda-embedded"
_VALID = timedelta(days=3650)
_RENEWED_BEFORE_ITS_END = timedelta(days=365)


def server_context(file: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with a file made by `create_certificate`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def read_or_create_certificate(file: Path, *, now: datetime | None = None) -> str:
    """Return the certificate in PEM; create it, with its key in the file, if none is valid."""
    now = now or datetime.now(UTC)
    certificate = _read(file, now) or _create(file, now)
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _read(file: Path, now: datetime) -> x509.Certificate | None:
    try:
        pem = file.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        serialization.load_pem_private_key(pem, password=None)
    except (FileNotFoundError, ValueError):
        return None
    left = certificate.not_valid_after_utc - now
    return certificate if left > _RENEWED_BEFORE_ITS_END else None


def _create(file: Path, now: datetime) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key, now)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    write_private(file, (private + public).decode())
    return certificate


def _signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    places = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(a)) for a in _ADDRESSES)]
    # A certificate that is its own authority must say so, or strict clients reject it.
    usage = x509.KeyUsage(
        **dict.fromkeys(_USAGES, False), digital_signature=True, key_cert_sign=True
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks are set back now and then.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


_ADDRESSES = ("127.0.0.1", "::1")
_USAGES = (
    "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
    "encipher_only", "decipher_only",
)  # fmt: skip
