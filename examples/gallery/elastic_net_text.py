"""
Words that occur together
=========================

Logistic regression on a bag of words has many more features than documents, and words of one topic
come together. The lasso takes a few of them; the elastic net takes the topic, and still leaves out
the thousands of words that say nothing.
"""

# %%
# The texts are made up. Of 5000 words each document has eighty of those that all texts have, by
# Zipf's law, and words of one of six topics, three of sport and three of science. The documents to
# learn from are long, with seven of the eight words of a topic, and a tenth of their labels is
# wrong. The documents to sort later are short: two words of a topic must do.

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import csr_matrix

import bridle as br

rng = np.random.default_rng(0)
topics = [
    "goal match team coach league striker penalty referee",
    "race lap pit tyre driver circuit podium engine",
    "racket serve set tiebreak court volley umpire seed",
    "cell gene protein enzyme tissue membrane receptor genome",
    "star orbit galaxy telescope planet comet nebula eclipse",
    "proof lemma theorem integer prime matrix axiom graph",
]
words = " ".join(topics).split()
vocabulary = 5000
frequency = 1 / np.arange(20, vocabulary - len(words) + 20)
frequency /= frequency.sum()


def documents(count, topic_words):
    """Return the counts of words, a row for each document, and labels: 1 is science, -1 sport."""
    drawn = rng.integers(len(topics), size=count)
    found = [
        np.concatenate(
            [
                8 * topic + rng.choice(8, topic_words, replace=False),
                rng.integers(len(words), size=2),  # in passing
                len(words) + rng.choice(frequency.size, 80, p=frequency),
            ]
        )
        for topic in drawn
    ]
    rows = np.repeat(np.arange(count), [len(row) for row in found])
    columns = np.concatenate(found)
    counts = csr_matrix((np.ones(rows.size), (rows, columns)), shape=(count, vocabulary))
    return counts, np.where(drawn < 3, -1, 1)


X, y = documents(400, topic_words=7)
y = np.where(rng.random(y.size) < 0.1, -y, y)
to_choose, to_test = documents(1000, topic_words=2), documents(1000, topic_words=2)

# %%
# The mean logistic loss and its gradient take the sparse matrix as it is.


def value(w):
    """Return the mean logistic loss."""
    return np.mean(np.logaddexp(0, -y * (X @ w)))


def gradient(w):
    """Return its gradient."""
    return -(X.T @ (y / (1 + np.exp(y * (X @ w))))) / y.size


def accuracy(w, data):
    """Return the share of documents that are sorted rightly; no known word is wrong, too."""
    counts, labels = data
    return np.mean(np.sign(counts @ w) == labels)


def path(penalty):
    """Return solutions for falling strengths."""
    w = np.zeros(vocabulary)
    strongest = br.L1(1.0).lambda_max(gradient(w))
    solutions = []
    for strength in np.geomspace(strongest, strongest / 50, 20):
        w = br.fista(gradient, strength * penalty, w, value=value, tolerance=1e-5).x
        solutions.append(w)
    return solutions


# %%
# The strength is the one with which the first thousand short documents are sorted best.

penalties = {"lasso": br.L1(1.0), "elastic net": br.ElasticNet(1.0, 2.0), "ridge": br.L2(2.0)}
paths = {name: path(penalty) for name, penalty in penalties.items()}
best = {name: max(path, key=lambda w: accuracy(w, to_choose)) for name, path in paths.items()}
scores = {name: accuracy(w, to_test) for name, w in best.items()}

fig, axes = plt.subplots(2, 1, figsize=(7.5, 5), sharex=True, sharey=True, layout="constrained")
for ax, name in zip(axes, ("lasso", "elastic net"), strict=True):
    w = best[name]
    for start in range(0, len(words), 16):
        ax.axvspan(start - 0.5, start + 7.5, color="0.93")
    ax.axhline(0, color="0.7", linewidth=0.8)
    kept = np.flatnonzero(w[: len(words)])
    ax.vlines(kept, 0, w[kept], color=np.where(kept < 24, "C1", "C0"), linewidth=4)
    ax.set_title(
        f"{name}: {np.count_nonzero(w)} words, {scores[name]:.1%} of short texts are right"
    )
    ax.set(ylabel="weight", xlim=(-0.5, len(words) - 0.5))
axes[1].set_xticks(range(len(words)), words, rotation=90, fontsize=7)
axes[1].set(xlabel="words of six topics: sport and science")
plt.show()

# %%
# In the long documents a few words of each topic tell as much as all of them, so the lasso leaves
# the others out; in a short document these may be the only ones. The elastic net keeps all words of
# the topics and few others. Ridge regression keeps everything, and lies in between.

for name, w in best.items():
    print(
        f"{name}: {scores[name]:.1%} right with {np.count_nonzero(w)} words, "
        f"{np.count_nonzero(w[: len(words)])} of the {len(words)} that belong to topics"
    )
