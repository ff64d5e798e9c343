"""The layout of every HTML page: one file without any asset."""

from __future__ import annotations

from pprof_exporter import __version__
from pprof_exporter.escaping import html_text

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f37; --bad: #cf222e; --warn: #9a6700;
  --info: #0969da; --dim: #6e7781; --bar: #0969da99; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; --warn: #d29922; --info: #58a6ff;
  --dim: #8b949e; --bar: #58a6ff99; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { margin: 0; font-size: 1.5rem; } h1 a { color: inherit; text-decoration: none; }
h1 small { font-size: .9rem; font-weight: normal; opacity: .7; }
h2 { margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; } h3 { margin: 2rem 0 .5rem; } h4 { margin: 0 0 .3rem; }
a { color: var(--info); }
nav { border-bottom: 1px solid var(--line); padding: .5rem 0; display: flex; flex-wrap: wrap; gap: 0 1rem; }
nav a[aria-current] { font-weight: 600; color: inherit; text-decoration: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; padding-right: 1.5rem; white-space: nowrap; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: .25rem; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .6rem .8rem; border-radius: .25rem; overflow-x: auto; line-height: 1.4; }
pre code { background: none; padding: 0; }
ul.bare { list-style: none; margin: 0; padding: 0; } .text li { margin: .4rem 0; }
td .small { white-space: nowrap; }
.small { font-size: .85rem; color: var(--dim); }
.label { background: var(--soft); border-radius: .25rem; padding: .1rem .4rem; margin-right: .3rem; font-size: .85rem; }
.badge { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; font-weight: 600;
  white-space: nowrap; } .badge a { color: inherit; text-decoration: none; }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.search input { font: inherit; width: 14rem; max-width: 100%; } .search button { font: inherit; }
.dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: currentColor;
  margin-right: .4rem; }
.critical { color: var(--bad); } .warning { color: var(--warn); } .info { color: var(--info); }
.healthy { color: var(--good); } .unknown, .not_applicable { color: var(--dim); }
.card { color: inherit; border: 1px solid var(--line); border-left: .3rem solid var(--dim); border-radius: .3rem;
  padding: .6rem .9rem; margin: .6rem 0; } .card p { margin: .2rem 0; }
.card.critical { color: inherit; border-left-color: var(--bad); } .card.warning { border-left-color: var(--warn); }
.card.info { border-left-color: var(--info); } .card.warning, .card.info { color: inherit; }
details { margin: .5rem 0; } summary { cursor: pointer; }
svg rect { fill: var(--bar); } svg rect.bad { fill: var(--bad); }
svg.share { width: 100%; height: .3rem; display: block;
  background: var(--soft); } svg.strip { display: block; max-width: 100%; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem 2rem; }
@media (max-width: 40rem) {
  .stack thead { display: none; } .stack tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .stack td { display: block; border: 0; padding: .1rem 0; text-align: left; }
  .stack td[data-name]::before { content: attr(data-name) ": "; color: var(--dim); }
  .stack td:first-child { font-weight: 600; overflow-wrap: anywhere; } .stack td:empty { display: none; }
  .search input { width: 100%; }
}
"""

_LINKS = (
    ("/targets", "Targets"),
    ("/probes", "Probes"),
    ("/evidence", "Evidence"),
    ("/runbooks/", "Runbooks"),
    ("/metrics", "Metrics"),
)


def page(title: str, body: str, *, here: str = "") -> str:
    """The whole document; `title` is text, `body` is HTML, `here` the path of the link that leads to it."""
    links = "".join(
        f'<a href="{path}"{" aria-current=page" if path == here else ""}>{name}</a>' for path, name in _LINKS
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html_text(title)} · pprof-exporter</title><style>{_STYLE}</style></head><body>
<h1><a href="/targets">pprof-exporter</a> <small>{html_text(__version__)}, health of Go profiling</small></h1>
<nav>{links}</nav>
{body}
</body></html>
"""
