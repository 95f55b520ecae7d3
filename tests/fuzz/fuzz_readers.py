"""atheris looks for files that reach something new in what reads them.

From the root of the checkout: python -m tests.fuzz.fuzz_readers TARGET FOLDER [libFuzzer's options]
"""

import random
import sys
from pathlib import Path

import atheris

READ = ["bridle", "zipfile", "json", "csv", "numpy.lib.format", "numpy.lib._format_impl"]
with atheris.instrument_imports(include=READ):
    from tests.fuzz.readers import LARGEST, TARGETS, call


def main():
    name, folder, *options = sys.argv[1:]
    target, files, mutated = TARGETS[name]
    corpus = Path(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    for i, content in enumerate(files()):
        (corpus / f"{name}-{i}").write_bytes(content)

    def raw(data, rng):
        return atheris.Mutate(data, LARGEST)

    def mutate(data, max_size, seed):
        return mutated(data, random.Random(seed), raw)[:max_size]

    flags = [
        f"-max_len={LARGEST}",
        "-timeout=60",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={corpus}-",
    ]
    atheris.Setup(
        [sys.argv[0], *flags, *options, folder],
        lambda data: call(target, data),
        custom_mutator=mutate,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
