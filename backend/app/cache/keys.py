"""Every key that is ever written to Redis: one function per kind, the workspace in each."""


def session_key(conversation: str) -> str:
    """The recent turns of a conversation (``team:channel:thread``)."""
    team_id, _, rest = conversation.partition(":")
    return f"sales-agent:{team_id}:session:{rest}"


def person_key(team_id: str, user_id: str) -> str:
    return f"sales-agent:{team_id}:person:{user_id}"


def memory_key(team_id: str, user_id: str) -> str:
    """What the coach remembers of a person, ready to be chosen from."""
    return f"sales-agent:{team_id}:memory:{user_id}"


def home_key(team_id: str, user_id: str) -> str:
    """What a person's Home tab showed last."""
    return f"sales-agent:{team_id}:home:{user_id}"


def workspace_key(team_id: str) -> str:
    return f"sales-agent:{team_id}:workspace"


def limit_key(team_id: str, what: str, who: str = "everybody") -> str:
    """The count behind a limit: ``what`` is limited for ``who``."""
    return f"sales-agent:{team_id}:limit:{what}:{who}"


def knowledge_key(team_id: str, version: int, asked: str) -> str:
    """The result of a search: any edit of the workspace's knowledge changes ``version`` and leaves the old results to expire."""
    return f"sales-agent:{team_id}:knowledge:{version}:{asked}"
