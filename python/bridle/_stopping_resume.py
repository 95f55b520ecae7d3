"""State of an `EarlyStopping` as JSON, and in a file together with the best weights."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

from bridle import _checkpoint
from bridle._criterion import Criterion, states_of
from bridle._decision import StopReason
from bridle._stopping_rules import Reduce, arguments_from_json, rebuilt
from bridle._stopping_state import Changing, Record, State, load_criteria, parts


class Resumable(Changing):
    """What lets an `EarlyStopping` go on where another one left off."""

    def __copy__(self) -> Self:
        # As deepcopy, but for `reduce`: of two that share buffers or criteria, both would be wrong.
        return copy.deepcopy(self, {id(self.reduce): self.reduce})

    def state_dict(self) -> dict[str, Any]:
        """Return the configuration and the state, without weights, as what JSON has.

        Numbers that JSON lacks are the strings "inf", "-inf" and "nan". The configuration has
        neither `reduce` nor more of your own criteria than the names of their classes.
        """
        return self._as_json(self._record)

    def _as_json(self, record: Record) -> dict[str, Any]:
        remembered = states_of(self.criteria) if record.before is None else record.before
        state = record.state.as_json(self._metrics, self.criteria, remembered)
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
        if config != self._rules.as_json():
            loaded = loaded._replace(reason=StopReason.NONE, stopped_epoch=None)

        def load() -> None:
            load_criteria(self.criteria, saved["criteria"])
            self._record = Record(loaded)

        self._change(load)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state and the best weights to one file, an uncompressed ``.npz``.

        The file is complete or not there: it is written beside its place, flushed to disk and
        renamed. A process killed on the way leaves the older file, and one ``.tmp`` beside it.
        A symbolic link is followed, and the mode of an older file is kept.

        Raises
        ------
        OSError
            If `path` is something else than a regular file, or cannot be written. What was there
            is still there then.
        """
        record = self._record
        _checkpoint.write(path, self._as_json(record), record.snapshot)

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
            stopping._record = stopping._record._replace(snapshot=snapshot)
        return stopping
