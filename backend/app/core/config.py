"""All settings, read once at the start from the environment and ``.env``. The environment wins.

Every field carries its sentence and unit; ``.env.example`` and the operators' guide are compared with this list by a test.
"""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app import __version__
from app.core.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).parents[3]
INSECURE_SECRET_KEYS = frozenset({"changeme", "change-me", "secret", "your-secret-key"})


class Environment(StrEnum):
    """Where the process runs; ``production`` has musts that the others do not."""

    DEVELOPMENT = "development"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"


class SlackMode(StrEnum):
    """How events reach us."""

    HTTP = "http"
    SOCKET = "socket"


class Settings(BaseSettings):
    """The configuration of one process."""

    model_config = SettingsConfigDict(
        env_file=(PROJECT_ROOT / ".env", ".env"), env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True,
        populate_by_name=True,
    )  # fmt: skip

    # Application
    app_name: str = Field("AI営業支援エージェント", description="Name shown in health answers and help.")
    app_version: str = Field(__version__, description="Version shown in health answers and help.")
    environment: Environment = Field(
        Environment.DEVELOPMENT,
        validation_alias=AliasChoices("ENVIRONMENT", "DEPLOYMENT_ENV"),
        description="development, test, staging or production.",
    )
    debug: bool = Field(False, description="More detail in error answers; never in production.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str | None = Field(None, description="text or json on the console; empty: json in production and staging.")
    log_file: Path | None = Field(None, description="JSON log file beside the console; empty: console only.")
    access_log_file: Path | None = Field(None, description="File of its own for the access log; empty: with the other lines.")
    data_directory: Path = Field(PROJECT_ROOT / ".data", description="Where embedded services keep their data.")
    default_language: str = Field("ja", description="ja, en or zh: when neither thread, person nor workspace says.")
    public_url: str | None = Field(None, description="Address people reach the web pages at, such as https://your-domain.com.")

    # PostgreSQL
    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "POSTGRESQL_URL"),
        description="postgresql+asyncpg://user:password@host/database; empty: an embedded server (not in production).",
    )
    database_pool_size: int = Field(20, ge=1, description="Connections a process may hold open.")
    database_max_overflow: int = Field(40, ge=0, description="Connections beyond the pool at peaks, of one process.")

    # Redis
    redis_url: SecretStr | None = Field(None, description="redis://, rediss:// or unix://; empty: embedded (not in production).")
    redis_host: str | None = Field(None, description="Host, when REDIS_URL is not set.")
    redis_port: int = Field(6379, description="Port, with REDIS_HOST.")
    redis_db: int = Field(0, description="Database number, with REDIS_HOST.")
    redis_password: SecretStr | None = Field(None, description="Password, with REDIS_HOST.")
    redis_ssl: bool = Field(False, description="TLS, with REDIS_HOST.")
    redis_ssl_ca_path: Path | None = Field(None, description="File with the authority that signed the server's certificate.")
    redis_ssl_cert_path: Path | None = Field(None, description="Client certificate file.")
    redis_ssl_key_path: Path | None = Field(None, description="Client key file.")
    redis_max_connections: int = Field(50, ge=1, description="Connections a process may hold open.")
    cache_ttl_hours: int = Field(24, ge=1, description="Hours a session stays in the cache.")

    # Slack
    slack_bot_token: SecretStr | None = Field(None, description="xoxb-… of the installed app; empty: the playground.")
    slack_signing_secret: SecretStr | None = Field(None, description="Signing secret of the app.")
    slack_signing_secret_previous: SecretStr | None = Field(None, description="Still accepted while the secret is rotated.")
    slack_app_token: SecretStr | None = Field(None, description="xapp-… for Socket Mode.")
    slack_mode: SlackMode | None = Field(None, description="http or socket; empty: socket when SLACK_APP_TOKEN is set.")
    slack_app_id: str | None = Field(None, description="A…: events of other apps are refused; empty: learnt from Slack.")
    slack_team_id: str | None = Field(None, description="T…: events of other workspaces are refused; empty: learnt from Slack.")
    slack_api_url: str = Field("https://slack.com/api/", description="Address of Slack's Web API.")
    slack_request_timeout: float = Field(10.0, gt=0, description="Seconds one call to Slack may take.")
    slack_stream_starts_per_minute: int = Field(20, ge=0, description="Streams Slack lets one workspace start in a minute.")
    slack_edits_per_minute: int = Field(50, ge=0, description="Message edits Slack lets one workspace make in a minute.")

    # Language models
    use_mock_llm: bool = Field(False, description="Offline mode even when keys are set.")
    allow_mock_llm_in_production: bool = Field(False, description="Permits USE_MOCK_LLM=true in production.")
    openai_api_key: SecretStr | None = Field(None, description="Key of OpenAI.")
    anthropic_api_key: SecretStr | None = Field(None, description="Key of Anthropic.")
    openai_base_url: str | None = Field(None, description="Another address for OpenAI's API.")
    anthropic_base_url: str | None = Field(None, description="Another address for Anthropic's API.")
    llm_base_url: str | None = Field(None, description="Any OpenAI-compatible server: Ollama, llama.cpp, vLLM …")
    llm_api_key: SecretStr | None = Field(None, description="Key of the server at LLM_BASE_URL, when it wants one.")
    llm_provider: str | None = Field(None, description="openai, anthropic or openai_compatible; empty: the first one configured.")
    llm_model: str | None = Field(None, description="Model name; empty: the provider's default in our list.")
    llm_profiles: str = Field("", description='Named profiles as JSON: {"fast": {"provider": …, "model": …}}.')
    llm_fallbacks: Annotated[tuple[str, ...], NoDecode] = Field((), description="Profiles to try in order after the first one.")
    llm_temperature: float = Field(0.7, ge=0, le=2, description="0 to 2; dropped for models that do not take it.")
    llm_max_tokens: int = Field(2000, ge=16, description="Longest answer, in tokens.")
    llm_context_tokens: int = Field(32_000, ge=2_000, description="Window a prompt is fitted into, in tokens.")
    llm_request_timeout: float = Field(
        30.0, gt=0, validation_alias=AliasChoices("LLM_REQUEST_TIMEOUT", "TIMEOUT_SECONDS"),
        description="Seconds a model may stay silent.",
    )  # fmt: skip
    llm_total_timeout: float = Field(
        120.0, gt=0, validation_alias=AliasChoices("LLM_TOTAL_TIMEOUT", "GREAT_TIMEOUT"), description="Seconds a turn may take."
    )
    llm_max_retries: int = Field(
        2, ge=0, le=10, validation_alias=AliasChoices("LLM_MAX_RETRIES", "MAX_RETRIES"), description="Further tries per provider."
    )
    redact_personal_data: bool = Field(True, description="Mask phone numbers, addresses and the like before a model reads them.")
    allowed_link_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), description="Hosts an answer may link to.")

    # Knowledge
    embedding_provider: str = Field(
        "local", description="Search by meaning: local (a small model on this machine), openai (any /v1/embeddings), none."
    )
    embedding_model: str | None = Field(None, description="Model of the embeddings endpoint; empty: text-embedding-3-small.")
    embedding_base_url: str | None = Field(None, description="Address of an embeddings endpoint; empty: OpenAI's.")
    embedding_api_key: SecretStr | None = Field(None, description="Key of the embeddings endpoint; empty: OPENAI_API_KEY.")
    embedding_dimensions: int | None = Field(
        None, ge=8, le=4096, description="Shorter vectors, where the model can; empty: whole."
    )
    embedding_core_share: float = Field(
        0.05, gt=0, le=1,
        description="Part of one core that embedding questions may take in the long run; beyond it, words must do.",
    )  # fmt: skip

    # Coaching
    skills_file: Path | None = Field(None, description="Your own list of skills (TOML); empty: the one that comes along.")
    synonyms_file: Path | None = Field(None, description="Words that mean the same here, one meaning per line; empty: none.")
    knowledge_review_months: int = Field(12, ge=1, description="Months after which an entry still in use is to be reviewed.")

    # Limits
    max_input_length: int = Field(10_000, ge=100, description="Characters of one chat message.")
    session_id_max_length: int = Field(100, ge=20, description="Characters of a conversation key (team:channel:thread).")
    questions_per_minute: int = Field(20, ge=1, description="Questions one person may ask in a minute.")
    questions_per_minute_workspace: int = Field(300, ge=1, description="Questions one workspace may ask in a minute.")
    allowed_commands: str = Field("", description="Must stay empty: no model runs commands here. A filled list stops the start.")
    worker_concurrency: int = Field(300, ge=1, description="Answers one process works on at once.")

    # How long things are kept
    retention_conversations_days: int = Field(365, ge=1, description="Days that turns, sessions and received events stay.")
    retention_memories_days: int = Field(730, ge=1, description="Days that a memory or insight stays after it was last stated.")
    retention_coaching_days: int = Field(1095, ge=1, description="Days that guided talks, plans and evidence of skills stay.")
    retention_feedback_days: int = Field(730, ge=1, description="Days that verdicts on answers and knowledge stay.")
    retention_usage_days: int = Field(730, ge=1, description="Days that the books of model calls stay.")

    # Security
    secret_key: SecretStr | None = Field(None, description="Signs and derives keys; at least 32 characters in production.")
    encryption_keys: SecretStr | None = Field(None, description="id:base64 pairs, the one for new data first.")
    admin_api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field((), description="Keys for details, metrics and console.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), description="Origins whose pages may call the API.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(("*",), description="Host names we answer to.")
    api_rate_limit: str = Field("100/minute;1000/hour", description="Limit of API and admin routes per address.")

    # Server
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(2, ge=1, description="Server processes.")
    worker_connections: int = Field(1000, ge=1, description="Accepted for compatibility; the server class has no such limit.")
    keepalive: int = Field(5, ge=0, description="Seconds an idle connection stays open.")
    jobs_in_server: bool = Field(
        True, description="Answer events in the server processes; false: only `sales-agent worker` does."
    )

    @field_validator("cors_origins", "allowed_hosts", "admin_api_keys", "llm_fallbacks", "allowed_link_hosts", mode="before")
    @classmethod
    def _list_from_text(cls, value: Any) -> Any:
        """A JSON list or a comma list."""
        if not isinstance(value, str):
            return value
        if value.strip().startswith("["):
            return tuple(json.loads(value))
        return tuple(piece.strip() for piece in value.split(",") if piece.strip())

    @field_validator("*", mode="before")
    @classmethod
    def _without_inline_comment(cls, value: Any) -> Any:
        """Service managers hand ``value  # comment`` over whole; ``.env`` readers do not. Both mean the value."""
        return re.sub(r"\s+#\s.*$", "", value) if isinstance(value, str) else value

    @field_validator("allowed_commands")
    @classmethod
    def _no_commands(cls, value: str) -> str:
        if value.strip():
            raise ValueError("must be empty: models run no commands here, they are only given knowledge and the talk")
        return value

    @field_validator("log_format")
    @classmethod
    def _known_log_format(cls, value: str | None) -> str | None:
        if value not in {None, "text", "json"}:
            raise ValueError("must be text or json")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_log_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("default_language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in {"ja", "en", "zh"}:
            raise ValueError("must be ja, en or zh")
        return value

    @field_validator("embedding_provider")
    @classmethod
    def _known_embedding_provider(cls, value: str) -> str:
        if value not in {"local", "openai", "none"}:
            raise ValueError("must be local, openai or none")
        return value

    @model_validator(mode="after")
    def _musts(self) -> "Settings":
        if problems := problems_of(self):
            raise ValueError("; ".join(problems))
        return self

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def logs_as_json(self) -> bool:
        """Machines read the console of a deployed process, people that of a laptop."""
        if self.log_format is not None:
            return self.log_format == "json"
        return self.environment in {Environment.PRODUCTION, Environment.STAGING}

    @property
    def uses_playground(self) -> bool:
        """Without a bot token the product is shown in its own small Slack."""
        return self.slack_bot_token is None

    @property
    def socket_mode(self) -> bool:
        return self.slack_mode is SlackMode.SOCKET or (self.slack_mode is None and self.slack_app_token is not None)


def problems_of(settings: Settings) -> list[str]:
    """What is missing or contradictory, each with the variable's name and the mend."""
    problems = []
    if settings.slack_bot_token and not settings.socket_mode and not settings.slack_signing_secret:
        problems.append("SLACK_SIGNING_SECRET is missing: copy it from Basic Information of the Slack app")
    if settings.slack_signing_secret and not settings.slack_bot_token:
        problems.append("SLACK_BOT_TOKEN is missing: copy it from OAuth & Permissions of the Slack app")
    if settings.slack_bot_token and not settings.slack_bot_token.get_secret_value().startswith("xoxb-"):
        problems.append("SLACK_BOT_TOKEN must be a bot token that starts with xoxb-")
    if settings.socket_mode and not settings.slack_app_token:
        problems.append("SLACK_APP_TOKEN is missing: Socket Mode needs an app-level token with connections:write")
    if settings.is_production:
        problems += _production_problems(settings)
    return problems


def _production_problems(settings: Settings) -> list[str]:
    problems = []
    if not settings.database_url:
        problems.append("DATABASE_URL is missing: production does not start with the embedded PostgreSQL")
    if not settings.redis_url and not settings.redis_host:
        problems.append("REDIS_URL is missing: production does not start with the embedded Redis")
    if not settings.slack_bot_token:
        problems.append("SLACK_BOT_TOKEN is missing: production does not serve the playground")
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    if len(secret) < 32 or secret.lower() in INSECURE_SECRET_KEYS:
        problems.append("SECRET_KEY needs at least 32 random characters: make one with `openssl rand -hex 32`")
    if settings.use_mock_llm and not settings.allow_mock_llm_in_production:
        problems.append("USE_MOCK_LLM=true in production needs ALLOW_MOCK_LLM_IN_PRODUCTION=true as well")
    if settings.debug:
        problems.append("DEBUG must be false in production")
    return problems


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; ``ConfigurationError`` with every wrong variable's name and what to do."""
    try:
        return Settings(**overrides)
    except (ValidationError, ValueError) as error:
        raise ConfigurationError(_in_words(error)) from None


def database_url_from_environment() -> str:
    """``DATABASE_URL`` for tools that run outside the application, such as ``alembic upgrade head``."""
    settings = load_settings()
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL is not set: set it, or use `sales-agent migrate` for the embedded server")
    url = settings.database_url.get_secret_value()
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg{separator}{rest}" if scheme.startswith("postgres") else url


def _in_words(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"the settings cannot be read: {error}"
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        text = str(problem["msg"]).removeprefix("Value error, ")
        lines.append(f"{name}: {text}" if name else text)
    return "; ".join(lines)
