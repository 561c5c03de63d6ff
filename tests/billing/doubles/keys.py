"""Keys made for the tests, once."""

from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID


@cache
def key(of: str) -> RSAPrivateKey:
    """Return somebody's key."""
    return generate_private_key(65537, 2048)


def private_pem(of: str) -> str:
    return key(of).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(of: str) -> str:
    public: RSAPublicKey = key(of).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@cache
def certificate(of: str) -> str:
    """Return a certificate that says whose key it is, signed by itself."""
    words = {NameOID.COUNTRY_NAME: "CN", NameOID.ORGANIZATION_NAME: "Double", NameOID.ORGANIZATIONAL_UNIT_NAME: "T"}
    name = Name([NameAttribute(oid, word) for oid, word in [*words.items(), (NameOID.COMMON_NAME, of)]])
    begun = CertificateBuilder(issuer_name=name, subject_name=name, public_key=key(of).public_key())
    begun = begun.serial_number(len(of)).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    ended = begun.not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    return ended.sign(key(of), SHA256()).public_bytes(Encoding.PEM).decode()


def opened(of: str, sealed: bytes) -> str:
    """Return what was encrypted for them, as WeChat wants it."""
    return key(of).decrypt(sealed, OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)).decode()  # noqa: S303


def signed(of: str, content: str) -> bytes:
    return key(of).sign(content.encode(), PKCS1v15(), SHA256())


def verify(of: str, content: str, signature: bytes) -> None:
    """Raise InvalidSignature unless they have signed this."""
    key(of).public_key().verify(signature, content.encode(), PKCS1v15(), SHA256())
