"""Takes the project's description from the pyproject.toml one level up; see the comment in the one beside this file."""

import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class ParentProject(MetadataHookInterface):
    """Fills the fields that are declared dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        parent = Path(self.root).parent / "pyproject.toml"
        project = tomllib.loads(parent.read_text(encoding="utf-8"))["project"]
        for field in ("description", "requires-python", "dependencies", "optional-dependencies", "scripts"):
            metadata[field] = project[field]
