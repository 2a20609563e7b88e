"""The job library notes how a job ended, and no longer every step on the way there.

Each note was a row, an index entry and a foreign key check, three times per answer; the first of them while Slack waits for its
acknowledgement. Nobody reads them: a job that is waiting or running says so itself, and a successful one is removed with its notes.

Effect on a running system: ``procrastinate_jobs`` is locked for an instant.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_CHANGES = "procrastinate_trigger_status_events_update_v1"
_CHANGED = """
create trigger {name} after update of status on procrastinate_jobs
for each row {condition} execute procedure procrastinate_trigger_function_status_events_update_v1()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table procrastinate_jobs disable trigger procrastinate_trigger_status_events_insert_v1")
    op.execute(f"drop trigger {_CHANGES} on procrastinate_jobs")
    op.execute(_CHANGED.format(name=_CHANGES, condition="when (new.status not in ('todo', 'doing'))"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(f"drop trigger {_CHANGES} on procrastinate_jobs")
    op.execute(_CHANGED.format(name=_CHANGES, condition=""))
    op.execute("alter table procrastinate_jobs enable trigger procrastinate_trigger_status_events_insert_v1")
