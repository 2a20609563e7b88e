"""Memory: what the coach remembers of a person beyond the talk itself.

Effect on a running system: none.
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
