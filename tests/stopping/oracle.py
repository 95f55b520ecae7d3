"""Early stopping a second time: read off the whole history in exact arithmetic, no counters.

Every metric is turned into one to be minimized. Numbers are fractions, so that the tests must only
use values on which floats do not round.
"""

import itertools
import math
from fractions import Fraction


def exact(value):
    return value if value is None or not math.isfinite(value) else Fraction(value)


class Metric:
    def __init__(self, history, mode, options, name):
        self.sign = 1 if mode == "min" else -1
        self.options = {key: self.of(value, name) for key, value in options.items()}
        self.history = [self.turned(value) for value in history]
        self.start = options["start_from_epoch"]

    @staticmethod
    def of(value, name):
        return value.get(name) if isinstance(value, dict) else value

    def turned(self, value):
        return None if value is None else exact(self.sign * value)

    def judged(self, epoch):
        """Return the smoothed value in closed form."""
        factor = self.options["smoothing"]
        if factor is None or not math.isfinite(self.history[epoch]):
            return self.history[epoch]
        factor = Fraction(factor)
        first, *rest = [v for v in self.history[: epoch + 1] if math.isfinite(v)]
        total = first * factor ** len(rest)
        return total + sum((1 - factor) * factor**age * v for age, v in enumerate(reversed(rest)))

    def finite(self, epoch):
        return self.judged(epoch) < math.inf  # false for NaN

    def beats(self, value, other):
        if other is None:
            return True
        delta = exact(self.options["min_delta"] or 0)
        if self.options["delta"] == "relative" and math.isfinite(other):
            delta *= abs(other)
        if not (math.isfinite(value) and math.isfinite(other)):
            return value < other
        return other - value > delta

    def on_target(self, epoch):
        target = self.turned(self.options["target"])
        return target is not None and self.finite(epoch) and self.judged(epoch) <= target

    def diverged(self, epoch):
        bound = self.turned(self.options["divergence"])
        return bound is not None and self.judged(epoch) >= bound

    def records(self, last):
        """Return the epochs that improved, up to one of them."""
        found = []
        for epoch in range(self.start, last + 1):
            if not self.finite(epoch):
                continue
            best = self.judged(found[-1]) if found else None
            first_on_target = self.on_target(epoch) and not any(map(self.on_target, found))
            if self.beats(self.judged(epoch), best) or first_on_target:
                found.append(epoch)
        return found

    def wait(self, last):
        baseline = self.turned(self.options["baseline"])
        restarts = [e for e in self.records(last) if self.beats(self.judged(e), baseline)]
        return max(last - max(restarts, default=self.start - 1), 0)

    def exhausted(self, epoch):
        return epoch not in self.records(epoch) and self.wait(epoch) >= self.options["patience"]

    def standing(self, last):
        records = self.records(last)
        best = float(self.sign * self.judged(records[-1])) if records else None
        return best, records[-1] if records else None, self.wait(last)


def shown(metric, epoch):
    """Return the epochs whose values a criterion has seen."""
    return [e for e in range(metric.start, epoch + 1) if metric.finite(e)]


def generalization_loss(values, training, threshold):
    return 100 * (values[-1] - min(values)) > threshold * abs(min(values))


def progress_quotient(values, training, threshold, strip):
    if len(values) % strip:
        return False
    last = training[-strip:]
    if values[-1] == min(values):
        return False
    if min(values) == 0:
        return True
    loss = 100 * (values[-1] - min(values)) / abs(min(values))
    progress = 1000 * (sum(last) / (strip * min(last)) - 1)
    return loss > threshold * progress


def unimproved_strips(values, training, strips, strip):
    ends = values[strip - 1 :: strip]
    rises = [b > a for a, b in itertools.pairwise(ends)]
    return len(values) % strip == 0 and len(rises) >= strips and all(rises[-strips:])


def plateau(values, training, window, tolerance):
    last = values[-window:]
    if len(last) < window:
        return False
    mean = sum(last) / window
    return sum((v - mean) ** 2 for v in last) / window <= Fraction(tolerance) ** 2


CRITERIA = {
    "GeneralizationLoss": generalization_loss,
    "ProgressQuotient": progress_quotient,
    "UnimprovedStrips": unimproved_strips,
    "Plateau": plateau,
}


def fires(metric, training, epoch, criteria):
    epochs = shown(metric, epoch)
    if epoch not in epochs:
        return False
    values = [metric.sign * metric.judged(e) for e in epochs]
    losses = [exact(training[e]) for e in epochs]
    return any(CRITERIA[name](values, losses, **options) for name, options in criteria)


def reason(metrics, epoch, seconds, training, options):
    joined = any if options["combine"] == "any" else all
    judged = epoch >= options["start_from_epoch"]
    if judged and options["nan"] == "stop" and any(not m.finite(epoch) for m in metrics):
        return "not_finite"
    if judged and any(m.diverged(epoch) for m in metrics):
        return "diverged"
    aimed = [m.on_target(epoch) for m in metrics if m.options["target"] is not None]
    if judged and aimed and joined(aimed):
        return "target"
    if judged and fires(metrics[0], training, epoch, options["criteria"]):
        return "criterion"
    if judged and epoch > 0 and joined([m.exhausted(epoch) for m in metrics]):
        return "patience"
    limit = options["max_seconds"]
    if limit is not None and seconds[epoch] - seconds[0] >= limit:
        return "time"
    return "none"


def decisions(histories, seconds, training, modes, options):
    """Return for each epoch, up to the stop, the reason, whether it improved, the standings."""
    metrics = [Metric(history, modes[name], options, name) for name, history in histories.items()]
    found = []
    for epoch in range(len(seconds)):
        why = reason(metrics, epoch, seconds, training, options)
        improved = epoch in metrics[0].records(epoch)
        found.append((why, improved, [metric.standing(epoch) for metric in metrics]))
        if why != "none":
            break
    return found
