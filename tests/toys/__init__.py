"""A node package without tensors, for tests of what serves nodes."""
