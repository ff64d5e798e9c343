"""Sphinx settings of the site; `docs/site/build.py` lays the pages out and runs Sphinx on them."""

from __future__ import annotations

project = "pprof-exporter"
author = "The pprof-exporter developers"
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
html_title = "pprof-exporter"
html_show_copyright = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
myst_heading_anchors = 4  # Addresses of headings as on GitHub.
pygments_style = "friendly"
pygments_dark_style = "github-dark"
highlight_language = "none"
nitpicky = True
# Pygments does not know that recorded series have colons in their names, nor programs in quotes over several lines.
suppress_warnings = ["misc.highlighting_failure"]
