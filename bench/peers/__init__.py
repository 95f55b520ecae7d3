"""The same work done by bridle, NumPy, Numba and PyTorch, beside what the memory allows.

Run it from the repository's root: ``python -m bench.peers``.
"""
