"""The short text a person can quote when something went wrong, and we can find in the logs."""

import secrets

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without 0/O, 1/I/L: it is read aloud on the telephone
_LENGTH = 8


def new_reference() -> str:
    """A reference such as ``E-7KM3QX9A``."""
    return "E-" + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
