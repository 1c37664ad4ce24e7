"""Sphinx: pages are MyST notebooks, executed at every build; warnings are errors (make docs)."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pymlm

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

project = "pymlm"
author = "The pymlm authors"
project_copyright = author
version = release = pymlm.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "as_typed",  # ours: docs/_ext writes the reference
]
exclude_patterns = ["_build", "_ext", "jupyter_execute"]

# A reference to a name of ours that leads nowhere is a warning, and so an error. Types of pandas,
# numpy and matplotlib cannot be looked up offline, and not every class of an annotation has a
# page; a word in single backticks is a link where it names something of ours (`pymlm.lmer`, another
# method), else an argument.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!pymlm\b).*|pymlm\.options\..*"), ("py:class", ".*")]
# Results and models share their field names on purpose (nobs, aic ...), so that a bare name in a
# list of attributes has several targets.
suppress_warnings = ["ref.python"]
linkcheck_timeout = 20

html_theme = "furo"
html_title = f"pymlm {release}"
html_static_path = ["_static"]
html_css_files = ["pymlm.css"]
html_theme_options = {"top_of_page_buttons": []}
templates_path = ["_templates"]
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_exclude = ".linenos, .gp, .go"

# Formulas are drawn in the reader's browser by a file of ours, in paths: no fonts, no network.
_mathjax = importlib.util.find_spec("sphinx-mathjax-offline")
if _mathjax is None or _mathjax.origin is None:
    raise ImportError("the formulas need sphinx-mathjax-offline: pip install --group docs")
html_static_path.append(str(Path(_mathjax.origin).parent / "static" / "mathjax" / "tex-svg.js"))
mathjax_path = "tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}

# Every number on a page is computed by the build, and an error in a cell fails it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 180
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_merge_streams = True
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Docstrings are numpydoc's and name the types; annotations list every word of an option, which
# makes signatures of a page.
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
toc_object_entries = False

# What the kernels of the pages share: tables that fit the page, and warnings without the path and
# line of a temporary file.
STARTUP = """
import textwrap as _textwrap
import warnings as _warnings
import pandas as _pd

_pd.options.display.width = 102
_pd.options.display.max_rows = 12
_pd.options.display.max_columns = 12
_pd.options.display.precision = 4
_warnings.formatwarning = lambda m, category, *_, **__: (
    _textwrap.fill(f"{category.__name__}: {m}", 92) + "\\n"
)
"""
# No "pymlm-" before it: pymlm takes such folders for its own and clears those left behind.
_profile = Path(tempfile.mkdtemp(prefix="docs-of-pymlm-")) / "profile_default"
atexit.register(shutil.rmtree, _profile.parent, ignore_errors=True)
(_profile / "startup").mkdir(parents=True)
(_profile / "startup" / "pages.py").write_text(STARTUP, encoding="utf-8")
os.environ["IPYTHONDIR"] = str(_profile.parent)
