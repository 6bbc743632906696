"""The database: its tables, who owns it, one thread that writes, a few that read."""

from server.database.database import Database
from server.database.faults import DatabaseBusy, DatabaseFault, DatabaseFull

__all__ = ["Database", "DatabaseBusy", "DatabaseFault", "DatabaseFull"]
