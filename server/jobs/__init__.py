"""Jobs: graphs that were accepted, what became of them, and the database that remembers both."""
