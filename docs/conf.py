"""How Sphinx builds the documentation: `sphinx-build -W --keep-going -b html docs build/docs`."""

from __future__ import annotations

import inspect
import os
import re
import sys
from typing import TypeVar

os.environ["SAFEMAP_PURE"] = "1"  # signatures and types stand in the plain files

from docutils import nodes
from docutils.parsers.rst import roles

import safemap

for name, module in list(sys.modules.items()):  # at runtime, type parameters are None there: see safemap._types
    if name.startswith("safemap"):
        for letter in "KVT":
            if getattr(module, letter, ...) is None:
                setattr(module, letter, TypeVar(letter))

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
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"safemap {release}"
html_static_path = ["_static"]
html_css_files = ["safemap.css", "reference.css"]
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5fa5", "color-brand-content": "#0b5fa5"},
    "dark_css_variables": {"color-brand-primary": "#7cb7f0", "color-brand-content": "#7cb7f0"},
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

SECTION = re.compile(r"^(Cost|Atomicity|Errors): ")
"""Lines of docstrings that are fields: readable in `help()`, a list on the page. They stand in a paragraph of
their own, to which tests/test_reference.py sees; its other lines go on with the field above them."""
GRADES = ("good", "maybe", "bad")
GRADE = re.compile(rf"^:Atomicity: ({'|'.join(GRADES)})\b")
"""How atomic an operation is: docs/reference/index.md says what the words mean; safemap.css has colours."""


def as_fields(_app, _what, _name, _thing, _options, lines):
    """Make fields of a docstring's sections."""
    inside = False
    for number, line in enumerate(lines):
        field = GRADE.sub(r":Atomicity: :\1:`\1`", SECTION.sub(r":\1: ", line))
        if field == line and inside and line:
            field = f"    {line.strip()}"
        inside = field != line or (inside and bool(line))
        lines[number] = field


def without_wrong_links(_app, _what, _name, thing, _options, lines):
    """Make literals of what is not meant for the map's own: parameters, and the `__eq__` of a key."""
    try:
        parameters = set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        parameters = set()

    def literal(found):
        return f"`{found[0]}`" if found[1] in parameters or found[1].startswith("__") else found[0]

    lines[:] = [re.sub(r"(?<![`:])`(\w+)`(?!`)", literal, line) for line in lines]


def in_colour(_app, doctree):
    """Give grades their colour, where cells of tables begin with one."""
    for cell in doctree.findall(nodes.entry):
        found = re.match(rf"({'|'.join(GRADES)})(?=$|:| -)", cell.astext())
        if found:
            text = cell.next_node(nodes.Text)
            coloured = nodes.inline("", found[0], classes=[found[0]])
            text.parent.replace(text, [coloured, nodes.Text(text.removeprefix(found[0]))])


def setup(app):
    app.connect("autodoc-process-docstring", as_fields)
    app.connect("autodoc-process-docstring", without_wrong_links)
    app.connect("doctree-read", in_colour)
    for grade in GRADES:
        app.add_role(grade, roles.CustomRole(grade, roles.generic_custom_role, {"class": [grade]}))
