"""What people's verdicts do to an entry's place in the ranking.

A Bayesian average: the share of "helpful" under a Beta prior that stands for ``DOUBT`` verdicts, half of them helpful (Gelman et
al., Bayesian Data Analysis, 3rd ed., section 2.4; the same estimate that film and shop ratings use against few votes). Each
person has one verdict, so one person moves an entry by a step that is small and known, and nobody moves it beyond ``MOST``.
"""

DOUBT = 3.0
MOST = 0.3
"""Of an entry's score: at most three tenths more, or less, however many people agree."""


def boost_of(*, helpful: int, unhelpful: int) -> float:
    """What is added to the score, as a share of it: between ``-MOST`` and ``MOST``, 0 without verdicts."""
    share = (helpful + DOUBT / 2) / (helpful + unhelpful + DOUBT)
    return MOST * (2 * share - 1)
