"""State of an `EarlyStopping` as JSON, and in a file together with the best weights."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

from bridle import _checkpoint
from bridle._criterion import Criterion, undone_on_error
from bridle._decision import StopReason
from bridle._snapshot import Snapshot
from bridle._stopping_rules import Parameters, Reduce, arguments_from_json, rebuilt
from bridle._stopping_state import Readings, State, load_criteria, parts


class Resumable(Parameters, Readings):
    """What lets an `EarlyStopping` go on where another one left off."""

    _snapshot: Snapshot

    def state_dict(self) -> dict[str, Any]:
        """Return the configuration and the state, without weights, as what JSON has.

        Numbers that JSON lacks are the strings "inf", "-inf" and "nan". The configuration has
        neither `reduce` nor more of your own criteria than the names of their classes.
        """
        state = self._state.as_json(self._metrics, self.criteria)
        return {"config": self._rules.as_json(), "state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `state_dict` returned, but not its configuration.

        The metrics and their modes must be the same. A run that had stopped stays so unless the
        configuration is another one: then the next update judges anew. Each criterion takes
        the state of the one of its class, or starts anew. The weights of the best epoch are not
        part of the state.

        Raises
        ------
        ValueError
            If the state is not complete and consistent. Nothing has changed then.
        """
        config, saved = parts(state)
        loaded = State.from_json(saved, self._metrics)
        with undone_on_error(self.criteria):
            load_criteria(self.criteria, saved["criteria"])
        if config != self._rules.as_json():
            loaded = loaded._replace(reason=StopReason.NONE, stopped_epoch=None)
        self._state, self._snapshot = loaded, Snapshot()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state and the best weights to one file, an uncompressed ``.npz``.

        The file is complete or not there: it is written beside its place, flushed to disk and
        renamed. A process killed on the way leaves the older file, and one ``.tmp`` beside it.
        """
        _checkpoint.write(path, self.state_dict(), self._snapshot)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        criteria: Sequence[Criterion] | None = None,
        reduce: Reduce | None = None,
        **changes: Any,
    ) -> Self:
        """Return the tracker that `save` wrote, its weights included.

        Parameters
        ----------
        path : str or path-like
            The file.
        criteria : sequence of Criterion, optional
            Required if there were criteria of your own. By default those of the file.
        reduce : callable, optional
            As for the constructor; it is not in the file.
        **changes
            Other parameters of the constructor, in place of those of the file.

        Raises
        ------
        ValueError
            If the file is damaged or another one.
        """
        content, snapshot = _checkpoint.read(path)
        arguments = arguments_from_json(content["config"])
        arguments["criteria"] = rebuilt(arguments["criteria"]) if criteria is None else criteria
        stopping = cls(**{**arguments, "reduce": reduce, **changes})
        stopping.load_state_dict(content)
        if stopping.restore_best_weights:
            stopping._snapshot = snapshot
        return stopping
