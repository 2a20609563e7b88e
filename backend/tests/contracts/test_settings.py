"""Settings, ``.env.example`` and the operators' page say the same; the guide's block can be read; what is wrong is named."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.core.config import PROJECT_ROOT, Settings, load_settings
from app.core.errors import ConfigurationError

EXAMPLE = PROJECT_ROOT / ".env.example"
PAGE = PROJECT_ROOT / "docs" / "how_to" / "configure.md"

# The variables of the operators' guide in its own manner: quoted texts, comments behind values, JSON lists.
GUIDES_WAY = """
# アプリケーション
APP_NAME="AI Sales Agent"
APP_VERSION="1.0.0"
ENVIRONMENT="production"
DEBUG=false
LOG_LEVEL=INFO

# データベース
DATABASE_URL=postgresql+asyncpg://someone:some_password@localhost/some_db
DATABASE_POOL_SIZE=20
DATABASE_MAX_OVERFLOW=40

REDIS_URL=redis://localhost:6379/0   # Redis
REDIS_MAX_CONNECTIONS=50

SLACK_BOT_TOKEN=xoxb-an-example
SLACK_SIGNING_SECRET=an-example
SLACK_APP_TOKEN=

USE_MOCK_LLM=false
OPENAI_API_KEY=an-example
ANTHROPIC_API_KEY=
LLM_PROVIDER=openai  # openai か anthropic
LLM_MODEL=gpt-4
LLM_TEMPERATURE=0.7
LLM_MAX_TOKENS=2000
LLM_REQUEST_TIMEOUT=30

SECRET_KEY=0123456789012345678901234567890123456789012345678901234567890123
CORS_ORIGINS=["https://your-domain.com"]
ALLOWED_HOSTS=["your-domain.com", "localhost"]

WORKERS=4
WORKER_CONNECTIONS=1000
KEEPALIVE=5
"""


def names_of(field: str) -> list[str]:
    alias = Settings.model_fields[field].validation_alias
    if alias is None:
        return [field.upper()]
    return [str(choice) for choice in getattr(alias, "choices", [alias])]


def in_example() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def test_the_example_names_every_setting_and_nothing_else() -> None:
    assert list(in_example()) == [names_of(field)[0] for field in Settings.model_fields]


def test_the_example_as_it_stands_means_the_defaults() -> None:
    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)  # type: ignore[call-arg]


def test_every_setting_has_its_sentence_in_the_example_and_on_the_page() -> None:
    example, page = EXAMPLE.read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8")
    for field, definition in Settings.model_fields.items():
        sentence = definition.description or ""
        assert sentence.endswith((".", "…")), f"{field} has no sentence"
        assert f"# {sentence}\n{names_of(field)[0]}=" in example
        assert f"| `{names_of(field)[0]}` |" in page
        assert sentence.replace("|", "\\|") in page
        for name in names_of(field):
            assert f"`{name}`" in page


def test_the_page_names_no_setting_that_is_gone() -> None:
    known = {name for field in Settings.model_fields for name in names_of(field)}
    rows = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) <= known


def test_the_guides_block_is_read_with_its_comments(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(GUIDES_WAY, encoding="utf-8")
    settings = Settings(_env_file=file)  # type: ignore[call-arg]
    assert settings.is_production
    assert settings.app_name == "AI Sales Agent"
    assert settings.llm_provider == "openai"
    assert settings.cors_origins == ("https://your-domain.com",)
    assert settings.allowed_hosts == ("your-domain.com", "localhost")
    assert settings.redis_url == SecretStr("redis://localhost:6379/0")
    assert settings.slack_app_token is None
    assert not settings.socket_mode


@pytest.mark.parametrize("line", [line for line in GUIDES_WAY.splitlines() if re.match(r"[A-Z_]+=.*  #", line)])
def test_a_service_manager_may_hand_the_comment_on(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd's EnvironmentFile keeps what stands behind the value."""
    name, value = line.split("=", 1)
    monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    read = getattr(settings, name.lower())
    text = read.get_secret_value() if isinstance(read, SecretStr) else read
    assert text == value.split("  #")[0].strip()


PRODUCTION = {
    "environment": "production",
    "database_url": "postgresql://u:p@h/d",
    "redis_url": "redis://h",
    "slack_bot_token": "xoxb-an-example",
    "slack_signing_secret": "an-example",
    "secret_key": "x" * 20 + "y" * 20,
}


def test_a_complete_production_starts() -> None:
    assert load_settings(_env_file=None, **PRODUCTION).is_production


@pytest.mark.parametrize("missing", sorted(set(PRODUCTION) - {"environment"}))
def test_production_names_what_is_missing(missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    with pytest.raises(ConfigurationError, match=missing.upper()):
        load_settings(_env_file=None, **given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", "none"), ("log_level", "LOUD"), ("log_format", "xml"), ("default_language", "fr"), ("port", "70000"),
        ("llm_temperature", "9"), ("environment", "prod"), ("slack_bot_token", "xoxp-a-persons"), ("database_pool_size", "0"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(_env_file=None, **{name: value})
    assert name.upper() in str(raised.value)
    if name == "slack_bot_token":
        assert value not in str(raised.value)


def test_secrets_are_stars_wherever_settings_are_shown() -> None:
    settings = load_settings(_env_file=None, **PRODUCTION, admin_api_keys="CANARY-KEY", openai_api_key="CANARY-KEY")
    assert "CANARY" not in repr(settings)
    assert "an-example" not in str(settings)


def test_a_list_of_commands_for_models_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_COMMANDS", "ls,cat,grep")
    with pytest.raises(ConfigurationError, match="ALLOWED_COMMANDS: must be empty"):
        load_settings()
