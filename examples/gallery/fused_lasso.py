"""
Steps in a noisy signal
=======================

A signal that is constant for a while and then jumps: the fused lasso finds where. Its penalty is
the total variation, and its solution is one call of the proximal operator.
"""

# %%
# Six levels, and noise as large as the smaller jumps.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
levels, lengths = [0.0, 2.0, 1.0, 4.0, 2.5, 0.5], [120, 60, 90, 40, 110, 80]
truth = np.repeat(levels, lengths)
noise = 0.7
signal = truth + noise * rng.standard_normal(truth.size)

# %%
# A proximal operator minimizes half the squared distance from the signal plus the penalty, and that
# is the fused lasso: no iteration is needed. The strength is of the size that noise alone reaches.

strength = 2 * noise * np.sqrt(np.log(signal.size))
fused = br.TotalVariation(strength).prox(signal)

# %%
# For comparison a moving average, of the length that comes nearest to the truth, which nobody would
# know.


def moving_average(length):
    """Return the means of so many neighbours."""
    padded = np.pad(signal, length // 2, mode="edge")
    return np.convolve(padded, np.ones(length) / length, mode="valid")


def error(estimate):
    """Return the mean squared distance from the truth."""
    return np.mean((estimate - truth) ** 2)


averaged = min((moving_average(length) for length in range(3, 60, 2)), key=error)

fig, axes = plt.subplots(2, 1, figsize=(7, 4.8), sharex=True, sharey=True, layout="constrained")
pictures = {"fused lasso": fused, "best moving average": averaged}
for ax, (name, estimate) in zip(axes, pictures.items(), strict=True):
    ax.plot(signal, ".", color="0.75", markersize=3, label="signal")
    ax.plot(truth, color="black", linewidth=1, label="truth")
    ax.plot(estimate, color="C1", linewidth=1.8, label="estimate")
    ax.set_title(f"{name}: mean squared error {error(estimate):.3f}")
axes[0].legend(loc="upper left", ncols=3, frameon=False)
axes[1].set(xlabel="time", xlim=(0, signal.size))
plt.show()

# %%
# The moving average rounds every jump, and follows the noise in between. The fused lasso keeps
# jumps: each true one has a step within a few values, and there are no large steps elsewhere. Its
# price is that a peak becomes lower, by twice the strength divided by its length.

jumps = np.cumsum(lengths)[:-1] - 1
steps = np.flatnonzero(np.abs(np.diff(fused)) > 0.3)
peak = slice(jumps[2] + 1, jumps[3] + 1)
lowered = signal[peak].mean() - fused[peak].mean()
print("true jumps after             ", *jumps)
print("steps of more than 0.3 after ", *steps)
print(f"error {error(fused):.3f}, of the best moving average {error(averaged):.3f}")
print(f"the peak is lowered by {lowered:.3f}; 2·strength/length = {2 * strength / lengths[3]:.3f}")
