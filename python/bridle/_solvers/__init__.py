"""Solvers of problems with a regularizer, from its proximal operator."""
