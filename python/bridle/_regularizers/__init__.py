"""Regularizers as objects: a penalty and its proximal operator with their parameters."""
