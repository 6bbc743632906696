"""Who may do what: users, tokens, sessions, and the checks in front of every request."""
