"""The judge of the fault tests sees what it is there to see."""

from dataclasses import replace

from tests.faults.history import Asked, changed_after_the_end, overlaps_of, violations_of

GOOD = Asked(
    question="q", ts="1.0", is_accepted=True, answers=["始00001。…終00001。"], is_settled=True, marks=("始00001", "終00001")
)


def test_one_whole_answer_is_well():
    assert violations_of([GOOD]) == []


def test_every_broken_promise_is_seen():
    whole = GOOD.answers[0]
    broken = [
        replace(GOOD, answers=[]),
        replace(GOOD, answers=[whole, whole]),
        replace(GOOD, is_settled=False),
        replace(GOOD, answers=["始00001。…"]),
        replace(GOOD, answers=["考えています…"]),
        replace(GOOD, answers=[whole, "考えています…"]),
        replace(GOOD, is_accepted=False, answers=[whole, whole]),
    ]
    assert [len(violations_of([one])) for one in broken] == [1] * len(broken)


def test_what_was_never_accepted_need_not_be_answered():
    assert violations_of([replace(GOOD, is_accepted=False, answers=[])]) == []


def test_an_explanation_counts_where_it_may():
    explained = replace(GOOD, answers=["申し訳ありません。"])
    assert violations_of([explained]) != []
    assert violations_of([replace(explained, other_ends=("お詫び", "申し訳"))]) == []


def test_a_change_after_the_end_is_seen():
    done = {("C1", "5.0"): 100.0}
    entry = {"channel": "C1", "ts": "5.0", "change": "updated", "at": 99.0}
    assert changed_after_the_end([entry, {**entry, "ts": "6.0", "at": 200.0}], done) == []
    assert len(changed_after_the_end([entry | {"at": 101.0}], done)) == 1


def test_two_events_of_one_conversation_at_once_are_seen():
    assert overlaps_of([("a", 0.0, 2.0), ("b", 1.0, 3.0), ("a", 2.0, 4.0)]) == []
    assert len(overlaps_of([("a", 0.0, 2.0), ("a", 1.0, 3.0)])) == 1
