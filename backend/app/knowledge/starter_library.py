"""The knowledge the product brings along, so that it is of use before anybody has written a line."""

from pathlib import Path

from app.core.errors import ConfigurationError
from app.knowledge.entry import Trust, system_actor
from app.knowledge.importing.files import read_files
from app.knowledge.importing.markdown import Defaults
from app.knowledge.library import Library, Saved

# Nobody in the company has looked through it: at nearly equal fit what they wrote themselves goes first.
STARTER_DEFAULTS = Defaults(trust=Trust.UNCHECKED)
STARTER_FOLDER = Path(__file__).parents[2] / "data" / "knowledge"


async def load_starter_library(library: Library, *, team_id: str, folder: Path = STARTER_FOLDER) -> Saved:
    """Saves every file of the folder as a published entry. Loading again changes only what has changed in the files."""
    results = list(read_files(folder, defaults=STARTER_DEFAULTS))
    if broken := [f"{result.path.relative_to(folder)}: {result.problem}" for result in results if result.problem]:
        raise ConfigurationError("the starter library cannot be read: " + "; ".join(broken))
    return await library.save([draft for result in results for draft in result.drafts], actor=system_actor(team_id))
