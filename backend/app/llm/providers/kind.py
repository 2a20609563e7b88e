"""One line of ``PROVIDERS``."""

from dataclasses import dataclass
from importlib import import_module

from app.core.config import Settings
from app.llm.interface import Provider


@dataclass(frozen=True)
class ProviderKind:
    """A provider by name. Its module ``app.llm.providers.<name>`` has ``open_provider(settings) -> Provider``.

    ``needs`` is the setting without which it cannot work.
    """

    name: str
    needs: str | None

    @property
    def variable(self) -> str:
        return (self.needs or "").upper()

    def is_configured(self, settings: Settings) -> bool:
        return self.needs is None or bool(getattr(settings, self.needs))

    def open(self, settings: Settings) -> Provider:
        opened: Provider = import_module(f"app.llm.providers.{self.name}").open_provider(settings)
        return opened
