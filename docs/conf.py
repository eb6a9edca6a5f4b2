"""How Sphinx builds the documentation: `sphinx-build -W --keep-going -b html docs build/docs`."""

from __future__ import annotations

import os
import re

os.environ["SAFEMAP_PURE"] = "1"  # signatures and types stand in the plain files

import safemap

project = "safemap"
author = "the safemap authors"
copyright = "the safemap authors"  # noqa: A001 - Sphinx's name
version = release = safemap.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["examples"]
default_role = "py:obj"  # what stands in single backticks links to what is documented, and else is as it stands
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_all_links_external = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"K": "K", "V": "V", "T": "T"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"safemap {release}"
html_static_path = ["_static"]
html_css_files = ["safemap.css"]
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5fa5", "color-brand-content": "#0b5fa5"},
    "dark_css_variables": {"color-brand-primary": "#7cb7f0", "color-brand-content": "#7cb7f0"},
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

SECTION = re.compile(r"^(Cost|Atomicity|Errors): ")
"""Lines of docstrings that are fields: readable in `help()`, a list on the page."""


def as_fields(_app, _what, _name, _thing, _options, lines):
    """Make fields of a docstring's sections."""
    lines[:] = [SECTION.sub(r":\1: ", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", as_fields)
