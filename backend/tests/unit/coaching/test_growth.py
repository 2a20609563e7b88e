"""Skills and levels: what evidence says, how sure it is, and when nothing is said at all."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.assistant.show_growth import growth_of
from app.assistant.show_history import weeks_in_a_row
from app.coaching.growth.levels import (
    HALF_LIFE,
    LEVEL_OF_STEP,
    Level,
    Step,
    Trend,
    course,
    level_at,
    on_steps,
    trend,
)
from app.coaching.growth.repository import ITEM_WEIGHTS, VALUE_OF_OUTCOME, Evidence, Outcome, Tally
from app.coaching.growth.taxonomy import OWN_FILE, own_taxonomy, read_taxonomy, skills_of_topic
from app.coaching.plan.plan import Category
from app.coaching.talk.topics import GENERAL, topics
from app.core.errors import ConfigurationError
from app.i18n.language import Language

NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)


def seen(
    value: float = 1.0, *, weight: float = 1.0, days_ago: float = 0.0, skill: str = "prospecting", source: str = "x"
) -> Evidence:
    return Evidence(skill, "plan_item", source, value, weight, NOW - timedelta(days=days_ago))


pieces = st.builds(
    seen, st.floats(0, 1), weight=st.floats(0.01, 1), days_ago=st.floats(0, 800)
)  # fmt: skip


# The taxonomy


def test_our_skills_are_named_and_described_in_every_language() -> None:
    assert 8 <= len(own_taxonomy().skills) <= 12
    for skill in own_taxonomy().skills:
        assert set(skill.names) == set(skill.behaviours) == set(Language)


@pytest.mark.parametrize("topic", [name for name in topics(Language.JAPANESE) if name != GENERAL])
def test_every_topic_of_guided_talks_exercises_a_skill(topic: str) -> None:
    assert skills_of_topic(topic)


def test_skills_name_only_topics_that_exist_and_general_exercises_none() -> None:
    assert {topic for skill in own_taxonomy().skills for topic in skill.topics} <= set(topics(Language.JAPANESE))
    assert skills_of_topic(GENERAL) == skills_of_topic("nobody placed this") == ()


def test_a_company_uses_its_own_list_in_its_own_language(tmp_path: Path) -> None:
    file = tmp_path / "skills.toml"
    file.write_text(
        '[[skills]]\nid = "visits"\ntopics = ["prospecting"]\nname = { ja = "訪問" }\nbehaviour = { ja = "週に5件会う。" }\n'
    )
    taxonomy = read_taxonomy(file)
    assert taxonomy.of_topic("prospecting") == ("visits",)
    assert taxonomy.skills[0].name(Language.ENGLISH) == "訪問"
    assert taxonomy.find("closing") is None


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "KeyError"),
        ("skills = []", "1 to 20"),
        ("not toml at all [", "TOML"),
        ('[[skills]]\nid = "Big"\nname = { ja = "x" }\nbehaviour = { ja = "y" }', "small Latin"),
        ('[[skills]]\nid = "a"\nname = { fr = "x" }\nbehaviour = { ja = "y" }', "fr"),
        ('[[skills]]\nid = "a"\nname = { ja = "" }\nbehaviour = { ja = "y" }', "name of a"),
        ('[[skills]]\nid = "a"\nname = "x"\nbehaviour = { ja = "y" }', "AttributeError"),
        ('[[skills]]\nid = "a"\nname = { ja = "x" }\nbehaviour = { ja = "y" }\n' * 2, "same id"),
    ],
)
def test_a_wrong_list_stops_the_start_and_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "skills.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=reason):
        read_taxonomy(file)


def test_a_missing_list_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SKILLS_FILE"):
        read_taxonomy(tmp_path / "nowhere.toml")
    assert read_taxonomy(OWN_FILE) == read_taxonomy(None)


def test_every_kind_of_action_and_every_outcome_has_its_weight() -> None:
    assert set(ITEM_WEIGHTS) == {category.value for category in Category}
    assert set(VALUE_OF_OUTCOME) == {None, *Outcome}
    assert (
        VALUE_OF_OUTCOME[Outcome.MISSED]
        < VALUE_OF_OUTCOME[Outcome.PARTLY]
        < VALUE_OF_OUTCOME[None]
        < VALUE_OF_OUTCOME[Outcome.REACHED]
    )


# Levels


@given(st.lists(pieces, max_size=40))
def test_a_level_stays_within_its_bounds(evidence: list[Evidence]) -> None:
    level = level_at(evidence, NOW)
    assert 0 < level.mean < 1 and 0 < level.spread < 0.5
    assert (level.step is None) is (not level.is_known)


@given(st.lists(pieces, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_evidence_does_not_matter(evidence: list[Evidence], random) -> None:
    shuffled = random.sample(evidence, len(evidence))
    assert level_at(shuffled, NOW) == level_at(evidence, NOW)


@given(st.lists(pieces, max_size=20), pieces)
def test_what_was_shown_never_lowers_and_what_was_not_never_raises_a_level(evidence: list[Evidence], more: Evidence) -> None:
    before = level_at(evidence, NOW).mean
    shown = Evidence(more.skill, more.kind, more.source, 1.0, more.weight, more.observed_at)
    missing = Evidence(more.skill, more.kind, more.source, 0.0, more.weight, more.observed_at)
    assert level_at([*evidence, shown], NOW).mean >= before - 1e-12
    assert level_at([*evidence, missing], NOW).mean <= before + 1e-12


@given(st.lists(pieces, min_size=1, max_size=20), st.floats(0, 1))
def test_a_better_outcome_never_lowers_a_level(evidence: list[Evidence], value: float) -> None:
    first, rest = evidence[0], evidence[1:]
    assume(value >= first.value)
    better = Evidence(first.skill, first.kind, first.source, value, first.weight, first.observed_at)
    assert level_at([better, *rest], NOW).mean >= level_at(evidence, NOW).mean - 1e-12


@given(st.integers(1, 30), st.floats(0, 1))
def test_more_of_the_same_makes_it_surer(count: int, value: float) -> None:
    fewer, more = level_at([seen(value)] * count, NOW), level_at([seen(value)] * (count * 4), NOW)
    assert more.support > fewer.support
    assume(fewer.mean * (1 - fewer.mean) >= more.mean * (1 - more.mean))
    assert more.spread < fewer.spread


def test_without_evidence_nothing_is_said() -> None:
    assert level_at([], NOW).step is None
    assert level_at([seen()] * 2, NOW).step is None
    assert level_at([seen(weight=0.4)] * 3, NOW).step is None
    assert level_at([seen()] * 3, NOW).step is Step.GROWING


def test_a_dozen_actions_that_reached_their_mark_are_steady_and_those_that_missed_are_not() -> None:
    assert level_at([seen(1.0)] * 13, NOW).step is Step.STEADY
    assert level_at([seen(0.8)] * 12, NOW).step is Step.ABLE
    assert level_at([seen(0.3)] * 12, NOW).step is Step.BEGINNING


def test_evidence_counts_half_after_its_half_life_and_is_too_old_some_day() -> None:
    assert level_at([seen(days_ago=HALF_LIFE.days)], NOW).support == pytest.approx(0.5)
    old = [seen(days_ago=400)] * 5
    assert level_at(old, NOW).step is None
    assert level_at(old, NOW).mean == pytest.approx(0.25, abs=0.05)


def test_what_was_observed_later_is_not_seen_earlier() -> None:
    before, after = course([seen(days_ago=1)] * 3, (NOW - timedelta(days=2), NOW))
    assert before.pieces == 0 and after.pieces == 3


@pytest.mark.parametrize("means, expected", [((0.5, 0.6), Trend.UP), ((0.6, 0.5), Trend.DOWN), ((0.5, 0.53), Trend.STEADY)])
def test_a_trend_is_named_when_it_is_notable(means: tuple[float, float], expected: Trend) -> None:
    before, now = (Level(mean, 0.1, 5, 4.0) for mean in means)
    assert trend(before, now) is expected
    assert trend(Level(means[0], 0.1, 1, 0.5), now) is Trend.UNKNOWN


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_picture_keeps_the_order_of_levels(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= on_steps(low) <= on_steps(high) <= 1


def test_the_picture_has_five_equal_steps() -> None:
    assert [on_steps(start) for start in LEVEL_OF_STEP.values()] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert on_steps(-0.2) == 0 and on_steps(1.3) == 1


# Growth as a whole


def test_growth_names_strengths_gaps_and_what_comes_next() -> None:
    evidence = [*(seen(days_ago=n, skill="closing") for n in range(13)), *(seen(0.3, skill="discovery") for _ in range(5))]
    growth = growth_of(evidence, ["negotiation"], own_taxonomy(), now=NOW, days=30)
    assert [one.skill.id for one in growth.known] == ["discovery", "closing"]
    assert [one.skill.id for one in growth.strengths] == ["closing"]
    assert len(growth.unknown) == len(own_taxonomy().skills) - 2
    assert growth.focus is not None and growth.focus.id == "negotiation"
    assert [skill.id for skill in growth.under_way] == ["negotiation"]
    assert growth.moments[0] == NOW - timedelta(days=30) and growth.moments[-1] == NOW


def test_without_a_plan_the_weakest_known_skill_comes_next_and_without_anything_none() -> None:
    evidence = [*([seen(skill="closing")] * 5), *([seen(0.3, skill="discovery")] * 5)]
    growth = growth_of(evidence, [GENERAL], own_taxonomy(), now=NOW, days=90)
    assert growth.focus is not None and growth.focus.id == "discovery"
    assert growth_of([], [], own_taxonomy(), now=NOW, days=90).focus is None


def test_evidence_of_a_skill_that_left_the_list_is_not_shown() -> None:
    growth = growth_of([seen(skill="gone")] * 9, [], own_taxonomy(), now=NOW, days=90)
    assert growth.known == ()


# Figures


def test_rates_say_what_they_are_counted_from() -> None:
    tally = Tally(done=3, dropped=1, open=4, overdue=1, reached=1, partly=1, missed=0)
    assert tally.due == 5 and tally.completion_rate == pytest.approx(0.6)
    assert tally.told == 2 and tally.success_rate == pytest.approx(0.75)
    assert Tally(open=4).completion_rate is None and Tally(done=4).success_rate is None


def test_weeks_in_a_row_end_at_the_first_gap_and_a_begun_week_breaks_nothing() -> None:
    monday = date(2026, 3, 30)
    days = {monday - timedelta(days=3), monday - timedelta(days=8), monday - timedelta(days=30)}
    assert weeks_in_a_row(days, monday) == 2
    assert weeks_in_a_row(days | {monday}, monday + timedelta(days=6)) == 3
    assert weeks_in_a_row(days, monday + timedelta(days=7)) == 0
    assert weeks_in_a_row(set(), monday) == 0
