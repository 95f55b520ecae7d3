"""The site: guides of this folder, a gallery that is run, and a page for each public name."""

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the gallery's matrices are small
os.environ.setdefault("KERAS_BACKEND", "torch")

import bridle  # not before, since it imports NumPy

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "bridle"
author = "the bridle developers"
project_copyright = author
version = release = bridle.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # Of this folder, small:
    "families",
    "headers",
    "links",
    "mathml",
    "pictures",
    "speeds",
]
exclude_patterns = ["_build", "_templates", "run"]
templates_path = ["_templates"]
nitpicky = True
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}
smartquotes_action = "qe"  # options keep their two dashes
default_role = "py:obj"
add_module_names = False
suppress_warnings = ["config.cache"]  # the gallery's functions cannot be pickled

# Guides are Markdown that reads well without the site, too.
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

# The docstrings say what types are; signatures show names and defaults.
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_use_plots = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "backreferences",
    "doc_module": ("bridle",),
    "reference_url": {"bridle": None},
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "plot_gallery": "True",
    "abort_on_example_error": True,
}
warnings.filterwarnings("ignore", message=".*non-GUI backend.*")

html_theme = "pydata_sphinx_theme"
html_title = f"bridle {release}"
html_static_path = ["_static"]
html_css_files = ["bridle.css"]
html_show_sourcelink = False
html_copy_source = False
html_use_index = True
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
}
html_sidebars = {"index": [], "changelog": [], "tested": [], "benchmarks": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
