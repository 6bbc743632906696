"""What serves graphs to people and programs: today the command line."""

__version__ = "0.1.0"
