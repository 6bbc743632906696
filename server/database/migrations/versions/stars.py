"""Which delivered files somebody marked with a star."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "stars",
        sa.Column("job", NUMBER, nullable=False),
        sa.Column("path", sa.Text(), nullable=False, comment="the file's, as the job names it"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_stars_job", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "path", name="pk_stars"),
        sqlite_with_rowid=False,
    )
