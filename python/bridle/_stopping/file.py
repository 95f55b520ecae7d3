"""State of an `EarlyStopping` as JSON, and in one file together with the best weights.

The file is an uncompressed zip as ``numpy.savez`` writes it, with one ``.npy`` member per array,
and the member ``stopping.json`` for everything else.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

from bridle import _archive
from bridle._archive import Archive, extension_of, is_storable, path_of
from bridle._stopping.criteria import BUILT_IN, Criterion, states_of
from bridle._stopping.judgement import StopReason
from bridle._stopping.rules import OWNER, Reduce, Rules, arguments_from_json, rebuilt
from bridle._stopping.snapshot import Snapshot
from bridle._stopping.state import Changing, Record, State, load_criteria, parts

FORMAT = "bridle.EarlyStopping"
VERSION = 1
JSON = "stopping.json"


def write(path: str | os.PathLike[str], state: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Write the file in place of an older one, which stays as it is until this one is complete."""
    content = {"format": FORMAT, "version": VERSION, **state, "weights": _contents(snapshot)}
    _archive.write(path_of(OWNER, path), JSON, content, (snapshot.buffers or {}).values())


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Snapshot]:
    """Return what `write` wrote; ValueError for any other file."""
    path = path_of(OWNER, path)
    refused = f"{OWNER}: {path} must be a complete file of EarlyStopping.save"
    with _archive.opened(path, JSON, refused) as archive, archive.refusing():
        content = archive.content
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError(f"format {content['format']}, version {content['version']}")
        snapshot = _snapshot(archive, content["weights"])
        _check_content(content, snapshot)
        return content, snapshot


def _contents(snapshot: Snapshot) -> dict[str, Any] | None:
    if snapshot.buffers is None:
        return None
    for name, array in snapshot.buffers.items():
        if type(name) not in (str, int):
            raise TypeError(f"{OWNER}: names of weights must be strings to be saved, got {name!r}")
        if not is_storable(array.dtype):
            raise TypeError(
                f"{OWNER}: weights[{name!r}] cannot be saved, its type is {array.dtype}"
            )
    entries = [
        {"name": name, "dtype": extension_of(array.dtype)}
        for name, array in snapshot.buffers.items()
    ]
    return {"kind": snapshot.kind, "arrays": entries}


def _check_content(content: Mapping[str, Any], snapshot: Snapshot) -> None:
    config, state = parts(content)
    rebuilt([entry for entry in config["criteria"] if entry["type"] in BUILT_IN])
    arguments = {**arguments_from_json(config), "criteria": (), "reduce": None}
    _check_weights(State.from_json(state, Rules.checked(arguments).metrics()), snapshot)


def _check_weights(state: State, snapshot: Snapshot) -> None:
    if snapshot.buffers is not None and state.standings[0].best is None:
        raise ValueError("weights without a best value")


def _snapshot(archive: Archive, weights: Mapping[str, Any] | None) -> Snapshot:
    if weights is None:
        return Snapshot()
    entries = weights["arrays"]
    arrays = {entry["name"]: archive.array(i, entry["dtype"]) for i, entry in enumerate(entries)}
    if len(arrays) < len(entries):
        raise ValueError("two weights of one name")
    return Snapshot.from_state({"kind": weights["kind"], "arrays": arrays})


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
        self._take(state, Snapshot())

    def _take(self, state: Mapping[str, Any], snapshot: Snapshot) -> None:
        config, saved = parts(state)
        loaded = State.from_json(saved, self._metrics)
        _check_weights(loaded, snapshot)
        if config != self._rules.as_json():
            loaded = loaded._replace(reason=StopReason.NONE, stopped_epoch=None)

        def load() -> None:
            load_criteria(self.criteria, saved["criteria"])
            self._record = Record(loaded, snapshot)

        self._change(load)

    def _whole_state(self) -> dict[str, Any]:
        """Return what `state_dict` does, and the weights of the best epoch, no copies."""
        record = self._record
        return {**self._as_json(record), "weights": record.snapshot.as_state()}

    def _load_whole_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `_whole_state` returned; its arrays are taken as they are."""
        snapshot = Snapshot.from_state(state["weights"])
        self._take(state, snapshot if self.restore_best_weights else Snapshot())

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
        write(path, self._as_json(record), record.snapshot)

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
        content, snapshot = read(path)
        arguments = arguments_from_json(content["config"])
        arguments["criteria"] = rebuilt(arguments["criteria"]) if criteria is None else criteria
        stopping = cls(**{**arguments, "reduce": reduce, **changes})
        stopping._load_whole_state({**content, "weights": snapshot.as_state()})
        return stopping
