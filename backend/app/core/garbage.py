"""Python's garbage collector, set for a server that holds many long-lived objects."""

import gc

ALLOCATIONS_BETWEEN_ROUNDS = 20_000  # Python's own 700 starts a round several times per answer


def spare_what_stays() -> None:
    """Takes everything loaded so far out of the collector's rounds and makes them rarer. Call once, when all is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BETWEEN_ROUNDS, *gc.get_threshold()[1:])
