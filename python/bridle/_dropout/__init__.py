"""Dropout and noise: functions, the layer, and the place of every random number."""
