"""Tiny random models of every family's true structure, and the files that people have of them."""
