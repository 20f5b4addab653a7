"""What a store keeps of a user it has forgotten: enough to know them again, too little to say who they were."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["SALT_BYTES", "tombstone"]

SALT_BYTES = 32
"""Length of the random key that a store draws once and keeps to itself."""


def tombstone(salt: bytes, user_id: str) -> bytes:
    """A keyed hash of a user id (BLAKE2b, RFC 7693), 16 bytes: without the salt, nobody can try ids against it."""
    return blake2b(user_id.encode(), key=salt, digest_size=16).digest()
