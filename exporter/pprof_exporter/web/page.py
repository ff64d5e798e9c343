"""The frame of every page for people: one HTML file without any asset."""

from __future__ import annotations

from html import escape

from pprof_exporter import __version__

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h1 small { font-size: 1rem; font-weight: normal; opacity: .7; }
h2 { margin-top: 2rem; }
nav a { margin-right: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; padding-right: 1.5rem; }
.up { color: var(--good); } .down { color: var(--bad); } .unknown { opacity: .7; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: .25rem; }
pre { background: var(--soft); padding: .6rem .8rem; border-radius: .25rem; overflow-x: auto; line-height: 1.4; }
pre code { background: none; padding: 0; }
td ul { margin: 0; padding-left: 1rem; } .text li { margin: .4rem 0; }
"""

_LINKS = (("/", "Targets"), ("/metrics", "Metrics"), ("/runbooks/", "Runbooks"), ("/-/healthy", "Health"))


def page(title: str, body: str) -> str:
    """The whole document; `title` is text, `body` is HTML."""
    links = "".join(f'<a href="{path}">{name}</a>' for path, name in _LINKS)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · pprof-exporter</title><style>{_STYLE}</style></head><body>
<h1>pprof-exporter <small>{escape(__version__)}</small></h1>
<p>Watches the health of Go profiling.</p>
<nav>{links}</nav>
{body}
</body></html>
"""
