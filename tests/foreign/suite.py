"""Runs another library's own tests with bridle in the place of that library's arithmetic.

An adapter is a program: it decorates its functions with `Suite.replaces`, names the tests that
cannot apply, each with a reason, and ends with `Suite.run`. The tests stay where they are
installed or were cloned; nothing of them is copied or changed.
"""

import functools
import os
import sys
from collections import Counter

import pytest


class Suite:
    """A pytest plugin that counts what reached bridle.

    Parameters
    ----------
    skipped : dict of str to str
        Parts of test ids, and why these tests cannot apply. A part that no test has is an error,
        and so is a replacement that no test called: either would hide that nothing is tested.
    marks : dict of str to str
        Marks of tests that cannot apply, and why.
    """

    def __init__(self, skipped, marks=None):
        self.skipped = skipped
        self.marks = marks or {}
        self.calls = Counter()
        self.through_bridle = 0
        self.unmatched = set(skipped)

    def replaces(self, owner, *names):
        """Put the decorated function in the place of attributes of a class or module."""
        label = f"{owner.__name__}.{names[0]}"
        self.calls[label] = 0

        def put(function):
            @functools.wraps(function)
            def counted(*args, **kwargs):
                self.calls[label] += 1
                return function(*args, **kwargs)

            for name in names:
                setattr(owner, name, counted)
            return function

        return put

    def pytest_collection_modifyitems(self, items):
        for item in items:
            for mark in [mark.name for mark in item.iter_markers() if mark.name in self.marks]:
                item.add_marker(pytest.mark.skip(reason=self.marks[mark]))
            for part in [part for part in self.skipped if part in item.nodeid]:
                self.unmatched.discard(part)
                item.add_marker(pytest.mark.skip(reason=self.skipped[part]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        before = self.calls.total()
        yield
        self.through_bridle += self.calls.total() > before

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.line(f"{self.through_bridle} of the tests passed through bridle")
        for label, calls in self.calls.items():
            terminalreporter.line(f"{calls:7} calls of {label}")
        for part in self.unmatched:
            terminalreporter.line(f"ERROR: no test is named {part}")
        for label in self.unused():
            terminalreporter.line(f"ERROR: no test called {label}")

    def unused(self):
        return [label for label, calls in self.calls.items() if calls == 0]

    def run(self, paths, *options):
        """Run the tests at the paths, and exit with pytest's status; sys.argv goes to pytest."""
        options = [*options, *sys.argv[1:]]
        # Neither the settings of this repository nor those of another.
        alone = [
            "-c",
            os.devnull,
            f"--rootdir={os.path.commonpath([path.parent for path in paths])}",
        ]
        quiet = ["-p", "no:cacheprovider", "-p", "no:warnings", "-rs"]
        status = pytest.main([*alone, *quiet, *options, *map(str, paths)], plugins=[self])
        whole = not any(option.startswith(("-k", "-m")) for option in sys.argv[1:])
        sys.exit(status or int(whole and bool(self.unused() or self.unmatched)))
