"""Sphinx: pages are MyST notebooks, executed at every build; warnings are errors (make docs)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pymlm

project = "pymlm"
author = "The pymlm authors"
project_copyright = author
version = release = pymlm.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "jupyter_execute"]
# Results and models share their field names on purpose (nobs, aic ...), so that a bare name in a
# list of attributes has several targets.
suppress_warnings = ["ref.python"]
html_theme = "sphinx_rtd_theme"
html_theme_options = {"navigation_depth": 3, "collapse_navigation": False}
html_title = f"pymlm {release}"
html_static_path = ["_static"]
html_css_files = ["pymlm.css"]

# Every number on a page is computed by the build, and an error in a cell fails it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 180
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Docstrings are numpydoc's; annotations stay in the signatures, where the sources have them.
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
add_module_names = False

# What the kernels of the pages share: tables that fit the page, and warnings without the path and
# line of a temporary file.
STARTUP = """
import textwrap as _textwrap
import warnings as _warnings
import pandas as _pd

_pd.options.display.width = 96
_pd.options.display.max_rows = 12
_pd.options.display.max_columns = 12
_pd.options.display.precision = 4
_warnings.formatwarning = lambda m, category, *_, **__: (
    _textwrap.fill(f"{category.__name__}: {m}", 92) + "\\n"
)
"""
_profile = Path(tempfile.mkdtemp(prefix="pymlm-docs-")) / "profile_default"
(_profile / "startup").mkdir(parents=True)
(_profile / "startup" / "pages.py").write_text(STARTUP, encoding="utf-8")
os.environ["IPYTHONDIR"] = str(_profile.parent)
