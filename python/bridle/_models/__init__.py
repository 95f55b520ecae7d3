"""Whole models, in one pass over all of their arrays: norms, clipping, sums, averages, casts."""
