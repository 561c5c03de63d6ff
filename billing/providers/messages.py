"""What is alike in every provider's messages."""

import hashlib
import json

from billing.providers.protocol import Garbled, Message

LONGEST_WORD = 100


def event_id(body: bytes) -> str:
    """Return a JSON message's own id, or a hash of the message when it has none that could be stored."""
    try:
        known = json.loads(body)["id"]
    except (ValueError, TypeError, KeyError):
        known = None
    return known if is_fit(known) and known else f"sha256:{hashlib.sha256(body).hexdigest()}"


def is_fit(word: object) -> bool:
    """Tell whether this is a word that can be stored."""
    return isinstance(word, str) and word.isprintable() and len(word) <= LONGEST_WORD


def fit(message: Message) -> Message:
    """Return the message. Raises Garbled when a word of it cannot be stored."""
    if not all(is_fit(word) for name, word in vars(message).items() if name != "amount"):
        raise Garbled("garbled")
    return message
