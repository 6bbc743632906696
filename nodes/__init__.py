"""Diffusion as typed functions: the node package that Darkroom ships with."""
