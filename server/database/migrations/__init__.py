"""How older databases become what `tables.py` says."""
