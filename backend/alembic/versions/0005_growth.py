"""Growth: what a person chose about being coached, and what shows how they grow.

Effect on a running system: none.
"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
