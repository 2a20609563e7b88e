"""How a small Slack behaves; the defaults are the real one's, apart from rates."""

from dataclasses import dataclass

MENTIONS_AND_DIRECT = frozenset({"app_mention", "message.im", "app_home_opened", "agent_session_stopped"})


@dataclass
class Options:
    """Times are in seconds."""

    signing_secret: str = "playground-signing-secret"  # noqa: S105 - the double's own, worth nothing elsewhere
    app_base_url: str = "http://127.0.0.1:3000"
    events_path: str = "/api/v1/slack/events"
    commands_path: str = "/api/v1/slack/commands"
    interactive_path: str = "/api/v1/slack/interactive"
    subscriptions: frozenset[str] = MENTIONS_AND_DIRECT  # add "message.channels" for the twin of every mention
    has_strict_rates: bool = False
    stream_seconds: float = 300.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1_800.0
    response_url_uses: int = 5
    ack_seconds: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    echoes_own_messages: bool = False  # Slack also sends the app its own messages
    uses_socket_mode: bool = False
    is_agent: bool = True
