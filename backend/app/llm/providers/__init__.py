"""Who can serve a model. To add one: write its file and add its line; the contract tests then run over it."""

from app.llm.providers.kind import ProviderKind

OFFLINE = "offline"

# In order of preference when LLM_PROVIDER is not set. A module is imported only when its provider is used: a vendor's SDK
# costs up to a second and tens of megabytes.
PROVIDERS: tuple[ProviderKind, ...] = (
    ProviderKind("openai", needs="openai_api_key"),
    ProviderKind("anthropic", needs="anthropic_api_key"),
    ProviderKind("openai_compatible", needs="llm_base_url"),
    ProviderKind(OFFLINE, needs=None),
)
