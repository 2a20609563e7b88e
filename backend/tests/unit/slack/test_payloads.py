import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.slack.ingress import Refused
from app.slack.payloads import Addressed, Bystander, Edited, Ignored, Withdrawn, fate_of, spoken_in
from tests.doubles.slack_requests import callback, channel_message, direct_message, mention

NEVER = Bystander("never")


def reason_of(payload: dict, bystander: Bystander = NEVER) -> str:
    fate = fate_of(payload, bystander)
    assert isinstance(fate, Ignored)
    return fate.reason


def stored(payload: dict, bystander: Bystander = NEVER) -> Addressed:
    fate = fate_of(payload, bystander)
    assert isinstance(fate, Addressed)
    return fate


def test_a_mention_opens_a_conversation_in_its_own_thread() -> None:
    fate = stored(mention())
    assert (fate.kind, fate.conversation, fate.channel_id, fate.message_ts, fate.user_id) == (
        "message", "T1:C1:1700000000.000100", "C1", "1700000000.000100", "U1",
    )  # fmt: skip


def test_a_mention_in_a_thread_belongs_to_that_thread() -> None:
    assert stored(mention(thread_ts="1699.1")).conversation == "T1:C1:1699.1"


def test_the_same_message_as_mention_and_as_message_is_one_and_the_same_to_the_inbox() -> None:
    as_mention = stored(mention())
    as_message = stored(channel_message("<@UBOT> 値引き", ts="1700000000.000100"))
    assert (as_mention.team_id, as_mention.channel_id, as_mention.message_ts, as_mention.kind) == (
        as_message.team_id, as_message.channel_id, as_message.message_ts, as_message.kind,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["<@UBOT> hi", "hi <@UBOT|coach>", "朝会です<@UBOT>、お願いします"])
def test_a_message_that_names_us_counts_as_a_mention(text: str) -> None:
    assert stored(channel_message(text)).kind == "message"
    assert spoken_in(channel_message(text)).is_mention


def test_a_direct_message_is_for_us_at_top_level_and_in_threads() -> None:
    assert stored(direct_message()).conversation == "T1:D1:1700000000.000200"
    assert stored(direct_message(thread_ts="1699.2")).conversation == "T1:D1:1699.2"


def test_a_group_message_is_treated_like_a_channel() -> None:
    assert reason_of(channel_message("こんにちは", channel_type="mpim", channel="G1")) == "not_addressed"
    assert not spoken_in(channel_message("<@UBOT>", channel_type="mpim", channel="G1")).conversation.is_direct


@pytest.mark.parametrize(
    "payload, reason",
    [
        (channel_message("おはようございます"), "not_addressed"),
        (channel_message("<@UOTHER> さん、お願いします"), "not_addressed"),
        (channel_message("それで？", thread_ts="1699.1"), "not_addressed"),
        (mention(bot_id="B2"), "bot"),
        (direct_message(bot_profile={"id": "B2"}), "bot"),
        (direct_message(user="UBOT"), "own"),
        (direct_message(user=None), "own"),
        (direct_message(user="USLACKBOT"), "own"),
        (direct_message(subtype="bot_message"), "subtype"),
        (channel_message("<@UBOT> joined", subtype="channel_join"), "subtype"),
        (direct_message(subtype="assistant_app_thread"), "subtype"),
        (callback({"type": "reaction_added", "user": "U1"}), "not_handled"),
        (callback({"type": None}), "not_handled"),
        ({"type": "app_rate_limited", "team_id": "T1"}, "no_event"),
    ],
)
def test_what_nobody_asked_us_is_ignored(payload: dict, reason: str) -> None:
    assert reason_of(payload) == reason


@pytest.mark.parametrize("mode", ["ask", "auto"])
def test_untagged_replies_are_kept_where_the_workspace_wants_answers_to_them(mode: str) -> None:
    assert stored(channel_message("それで？", thread_ts="1699.1"), Bystander(mode)).conversation == "T1:C1:1699.1"
    assert reason_of(channel_message("おはよう"), Bystander(mode)) == "not_addressed"


@pytest.mark.parametrize("text", ["!ai_help", "！ai_help", "！ａｉ＿ｈｅｌｐ", "  !AI_HELP".lower()])
def test_a_command_inside_a_thread_needs_no_mention(text: str) -> None:
    assert stored(channel_message(text, thread_ts="1699.1")).kind == "message"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_messages_with_files_and_broadcasts_are_messages(subtype: str) -> None:
    assert stored(direct_message(subtype=subtype)).kind == "message"


def test_an_edit_replaces_the_text() -> None:
    edit = callback({
        "type": "message", "subtype": "message_changed", "channel": "D1", "ts": "1700.9",
        "message": {"user": "U1", "text": "新しい文", "ts": "1700.1"}, "previous_message": {"text": "古い文", "ts": "1700.1"},
    })  # fmt: skip
    assert fate_of(edit, NEVER) == Edited("T1", "D1", "1700.1", "新しい文")


def test_a_link_preview_and_the_bots_own_edits_are_no_edits() -> None:
    preview = {"type": "message", "subtype": "message_changed", "channel": "D1",
               "message": {"user": "U1", "text": "同じ", "ts": "1"}, "previous_message": {"text": "同じ"}}  # fmt: skip
    own = {"type": "message", "subtype": "message_changed", "channel": "D1", "message": {"bot_id": "B1", "text": "a", "ts": "1"}}
    assert reason_of(callback(preview)) == "edit_without_change"
    assert reason_of(callback(own)) == "edit_of_other"


def test_a_deleted_message_is_withdrawn() -> None:
    deletion = {"type": "message", "subtype": "message_deleted", "channel": "D1", "deleted_ts": "1700.1", "ts": "1700.9"}
    assert fate_of(callback(deletion), NEVER) == Withdrawn("T1", "D1", "1700.1")


def test_home_belongs_to_the_person_and_a_stop_to_the_conversation_it_stops() -> None:
    home = stored(callback({"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}))
    stop = stored(callback({"type": "agent_session_stopped", "user": "U1", "channel": "D1", "thread_ts": "1700.1"}))
    assert (home.kind, home.conversation) == ("home", "T1:U1:home")
    assert (stop.kind, stop.conversation) == ("stop", "T1:D1:1700.1")


def test_our_workspace_is_the_one_we_are_installed_in() -> None:
    payload = {**mention(), "team_id": "TOTHER"}
    assert stored(payload).team_id == "T1"


@pytest.mark.parametrize(
    "payload",
    [
        callback("text"),  # type: ignore[arg-type]
        mention(channel=None),
        mention(ts="1; drop table"),
        mention(ts="a" * 101),
        mention(channel="\ud800"),
        mention(channel="C\x001"),
        {**mention(), "event_id": 5},
        {**mention(), "event_id": "日本"},
        {**mention(), "authorizations": [], "team_id": None},
    ],
)
def test_ids_that_slack_never_makes_are_refused(payload: dict) -> None:
    with pytest.raises(Refused) as refused:
        fate_of(payload, NEVER)
    assert refused.value.status == 400


FIELDS = [
    "type", "event", "event_id", "team_id", "team", "authorizations", "user", "user_id", "channel", "channel_type", "ts", "text",
    "thread_ts", "subtype", "message", "previous_message", "deleted_ts", "bot_id", "files", "tab",
]  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["message", "app_mention", "T1", "im"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=600, deadline=None)
@given(
    event=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=12),
    kind=st.sampled_from(["message", "app_mention", "app_home_opened", "agent_session_stopped", "tokens_revoked"]),
    around=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=6),
)
def test_any_payload_has_a_fate_or_is_refused(event: dict, kind: str, around: dict) -> None:
    payload = {**around, "type": "event_callback", "event": {**event, "type": kind}}
    try:
        fate = fate_of(payload, NEVER)
    except Refused:
        return
    if isinstance(fate, Addressed):
        assert fate.envelope(b"{}").team_id


@pytest.mark.parametrize(
    "text, spoken",
    [
        ("<@UBOT> 値引きを求められたら？", "値引きを求められたら？"),
        ("<@UBOT>、値引き", "値引き"),
        ("教えて <@UBOT|coach> 値引き", "教えて 値引き"),
        ("<@UBOT>", ""),
        ("A &amp; B &lt;3 <@UOTHER>", "A & B <3 <@UOTHER>"),
        ("&amp;lt;", "&lt;"),
        ("a\x00b", "ab"),
        ("\ud83d", "?"),
    ],
)
def test_the_question_is_what_was_typed_without_our_name(text: str, spoken: str) -> None:
    assert spoken_in(mention(text)).text == spoken


def test_who_comes_from_elsewhere_is_told_by_the_message_itself() -> None:
    assert spoken_in(mention(user_team="T2")).is_from_elsewhere
    assert spoken_in(mention(source_team="T2", user_team="T1")).is_from_elsewhere
    assert not spoken_in(mention(user_team="T1", source_team="T1")).is_from_elsewhere
    assert spoken_in(mention(user_team="T2")).user_team_id == "T2"
