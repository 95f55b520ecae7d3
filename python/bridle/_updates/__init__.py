"""Fused updates of optimizers: functions, prepared arrays, and rows that missed steps."""
