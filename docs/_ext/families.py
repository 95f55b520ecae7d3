"""The pages of the reference: one for each family of public names, one for each name.

The families are those of ``help(bridle)``. What this writes is not stored: the folder ``api``.
"""

import importlib
import re
from pathlib import Path

from sphinx.util import logging

import bridle

logger = logging.getLogger(__name__)

ADAPTERS = {
    "bridle.sklearn": "scikit-learn",
    "bridle.torch": "PyTorch",
    "bridle.keras": "Keras",
    "bridle.jax": "JAX",
    "bridle.dask": "Dask",
    "bridle.xgboost": "XGBoost",
    "bridle.lightgbm": "LightGBM",
    "bridle.catboost": "CatBoost",
    "bridle.lightning": "Lightning",
    "bridle.transformers": "transformers",
}


ALIASES = ("constraint", "regularizer")
"""The classes of bridle.keras in small letters."""


OTHERS = ("cpp", "c")
"""Pages of the reference that are written by hand."""


def of_package():
    """Return the names of each family, as the docstring of the package lists them."""
    families = re.findall(r"^(\S.*)\n((?:    .+\n?)+)", bridle.__doc__, re.MULTILINE)
    return {title: re.findall(r"\w+", names) for title, names in families}


def families():
    """Return title, module and names of each family, those of adapters last."""
    for title, names in of_package().items():
        yield title, "bridle", names
    for module, title in ADAPTERS.items():
        if imported := _imported(module):
            yield title, module, [name for name in imported.__all__ if name not in ALIASES]


def _imported(module):
    """Return an adapter, or None where its library is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        logger.info("no pages of %s: %s", module, error)
        return None


def file_name(title):
    """Return the name of a family's page."""
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def _page(title, module, names):
    lines = [title, "=" * len(title), "", f".. currentmodule:: {module}", ""]
    if module != "bridle":
        lines += [f".. automodule:: {module}", "   :no-members:", "   :noindex:", ""]
    lines += [".. autosummary::", "   :toctree: .", ""]
    return "\n".join([*lines, *(f"   {name}" for name in names), ""])


def _write(app, config):
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    every = [f"{module}.{name}" for _, module, names in families() for name in names]
    small = [name.lower() for name in every]
    config.autosummary_filename_map = {  # dropout and Dropout, where file names have one case
        name: f"{name}-class"
        for name in every
        if small.count(name.lower()) > 1 and name.rpartition(".")[2][0].isupper()
    }
    pages = [f"api/{file_name(title)}" for title, _, _ in families()]
    known = {*pages, *(f"api/{config.autosummary_filename_map.get(name, name)}" for name in every)}
    for path in folder.glob("*.rst"):
        if f"api/{path.stem}" not in known:
            path.unlink()
    toctree = [".. toctree::", "   :maxdepth: 1", "", *(f"   {page}" for page in [*pages, *OTHERS])]
    _write_new(folder / "families.inc", "\n".join([*toctree, ""]))
    for title, module, names in families():
        _write_new(folder / f"{file_name(title)}.rst", _page(title, module, names))


def _write_new(path, text):
    """Write what has changed alone, so that pages are not made again."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def _is_foreign(app, what, name, obj, skip, options):
    """Skip the members that a class has from another library."""
    module = getattr(obj, "__module__", None) or "bridle"
    return True if not module.startswith("bridle") else None


def _find_again(app):
    """Let autosummary see the pages that are new since the last time."""
    app.env.find_files(app.config, app.builder)


def setup(app):
    app.connect("config-inited", _write)
    app.connect("builder-inited", _find_again, priority=100)
    app.connect("autodoc-skip-member", _is_foreign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
