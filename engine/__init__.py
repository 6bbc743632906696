"""Typed graphs of plain functions, run with caching; knows nothing of tensors or HTTP."""
