"""Growth: how a finished plan item went, in the person's own word.

Effect on a running system: the new column of ``plan_items`` needs its lock for an instant.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "plan_items",
        sa.Column("outcome", sa.Text(), comment="how a done item went, by the person's word: reached, partly or missed"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("plan_items", "outcome")
