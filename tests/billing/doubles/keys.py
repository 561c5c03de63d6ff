"""Keys made for the tests, once."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@cache
def key(of: str) -> RSAPrivateKey:
    """Return somebody's key."""
    return generate_private_key(65537, 2048)


def private_pem(of: str) -> str:
    return key(of).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(of: str) -> str:
    public: RSAPublicKey = key(of).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(of: str, content: str) -> bytes:
    return key(of).sign(content.encode(), PKCS1v15(), SHA256())


def verify(of: str, content: str, signature: bytes) -> None:
    """Raise InvalidSignature unless they have signed this."""
    key(of).public_key().verify(signature, content.encode(), PKCS1v15(), SHA256())
