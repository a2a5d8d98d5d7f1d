"""Names that follow from content, so that the same thing has the same name on every machine."""

import hashlib
import json

ID_LENGTH = 16
"""Hex digits kept of a sha256: 64 bits, a collision among a million records has odds of 3e-8."""


def digest(*parts: object) -> str:
    """Hash JSON-serialisable parts to 64 hex digits; order and boundaries of the parts count."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def short_id(*parts: object) -> str:
    """Hash JSON-serialisable parts to the 16 hex digits used as record and completion ids."""
    return digest(*parts)[:ID_LENGTH]
