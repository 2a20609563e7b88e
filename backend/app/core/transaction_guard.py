"""Keeps slow calls out of database transactions.

A database connection must not wait for a model or for Slack. ``storage`` marks the task while a transaction is open;
whoever is about to wait for the outside world calls :func:`refuse_inside_transaction` first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_transaction_is_open: ContextVar[bool] = ContextVar("transaction_is_open", default=False)


@contextmanager
def transaction_open() -> Iterator[None]:
    """Marks the current task as being inside a transaction."""
    token = _transaction_is_open.set(True)
    try:
        yield
    finally:
        _transaction_is_open.reset(token)


def refuse_inside_transaction(what: str) -> None:
    """Raises ``RuntimeError`` when the current task has a transaction open: a fault of the program, not of the user."""
    if _transaction_is_open.get():
        raise RuntimeError(f"{what} must not be called while a database transaction is open")
