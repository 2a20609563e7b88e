"""The knowledge the product brings along, so that it is of use before anybody has written a line."""

from pathlib import Path

from app.core.errors import ConfigurationError
from app.knowledge.chunking import chunks_of
from app.knowledge.embedding_queue import embedded_texts
from app.knowledge.entry import Trust, system_actor
from app.knowledge.importing.files import read_files
from app.knowledge.importing.markdown import Defaults
from app.knowledge.library import Library, Saved

# Nobody in the company has looked through it: at nearly equal fit what they wrote themselves goes first.
STARTER_DEFAULTS = Defaults(trust=Trust.UNCHECKED)
STARTER_FOLDER = Path(__file__).parents[2] / "data" / "knowledge"


def starter_passages(folder: Path = STARTER_FOLDER) -> list[str]:
    """What is embedded of the library: titles, and passages with their title, each once."""
    drafts = [draft for result in read_files(folder, defaults=STARTER_DEFAULTS) for draft in result.drafts]
    texts = (text for draft in drafts for text in embedded_texts(draft.title, [chunk.text for chunk in chunks_of(draft.body)]))
    return list(dict.fromkeys(texts))


async def load_starter_library(library: Library, *, team_id: str, folder: Path = STARTER_FOLDER) -> Saved:
    """Saves every file of the folder as a published entry. Loading again changes only what has changed in the files."""
    results = list(read_files(folder, defaults=STARTER_DEFAULTS))
    if broken := [f"{result.path.relative_to(folder)}: {result.problem}" for result in results if result.problem]:
        raise ConfigurationError("the starter library cannot be read: " + "; ".join(broken))
    return await library.save([draft for result in results for draft in result.drafts], actor=system_actor(team_id))
