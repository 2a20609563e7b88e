"""The embedders a setting can name."""

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.embeddings.local import LocalEmbedder
from app.embeddings.prepared import PreparedEmbedder
from app.embeddings.remembered import RememberingEmbedder

EMBEDDING_PROVIDERS = ("none", "local", "openai")
DEFAULT_OPENAI_MODEL = "text-embedding-3-small"


def open_embedder(settings: Settings) -> RememberingEmbedder | None:
    """What ``EMBEDDING_PROVIDER`` asks for; ``None``: search by words only. Nothing is loaded or called yet."""
    if settings.embedding_provider == "none":
        return None
    if settings.embedding_provider == "local":
        return RememberingEmbedder(PreparedEmbedder(LocalEmbedder(core_share=settings.embedding_core_share)))
    key = settings.embedding_api_key or settings.openai_api_key
    if key is None and settings.embedding_base_url is None:
        raise ConfigurationError("EMBEDDING_PROVIDER=openai needs EMBEDDING_API_KEY, OPENAI_API_KEY or EMBEDDING_BASE_URL")
    # The vendor's SDK takes 20 MB, which a process that does not use it need not hold.
    from app.embeddings.openai_style import OpenAIStyleEmbedder  # noqa: PLC0415

    return RememberingEmbedder(
        OpenAIStyleEmbedder(
            model=settings.embedding_model or DEFAULT_OPENAI_MODEL,
            api_key=key.get_secret_value() if key else "",
            base_url=settings.embedding_base_url or settings.openai_base_url,
            dimensions=settings.embedding_dimensions,
        )
    )
