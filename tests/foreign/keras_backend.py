"""Imported before Keras: its backend is that of KERAS_BACKEND, else PyTorch, else NumPy."""

import importlib.util
import os
import sys
import types

os.environ.setdefault("KERAS_BACKEND", "torch" if importlib.util.find_spec("torch") else "numpy")

if os.environ["KERAS_BACKEND"] == "numpy" and importlib.util.find_spec("jax") is None:
    # That backend imports JAX for convolutions and Fourier transforms, which nothing here needs.
    absent = types.ModuleType("jax")
    absent.__getattr__ = lambda name: absent
    names = ("jax", "keras.src.backend.jax", "keras.src.backend.jax.math")
    sys.modules |= dict.fromkeys(names, absent)
