"""The frame of the HTML report: style, one small script, and a content security policy that allows nothing else."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from pprof_exporter import __version__
from pprof_exporter.escaping import html_text

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f37; --bad: #cf222e; --warn: #9a6700;
  --info: #0969da; --dim: #59636e; --before: #57606a; --after: #bc4c00; --ink: #1f2328; --flame: #d8dee4;
  --m1: #ffd8d3; --m2: #ffaba8; --m3: #ff8182; --l1: #ddf4ff; --l2: #b6e3ff; --l3: #80ccff; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; --warn: #d29922; --info: #58a6ff;
  --dim: #9198a1; --before: #8b949e; --after: #f0883e; --ink: #e6edf3; --flame: #2a313c;
  --m1: #4c2022; --m2: #7d2a2c; --m3: #b33a3a; --l1: #122d42; --l2: #0d4a6f; --l3: #1f6feb; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { margin: 2.2rem 0 .5rem; overflow-wrap: anywhere; }
h3 { margin: 1.8rem 0 .4rem; } p { margin: .4rem 0; }
code { overflow-wrap: anywhere; } .small { font-size: .85rem; color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; font-size: .85rem; color: var(--dim); }
td.n, th.n { text-align: right; white-space: nowrap; } td.k { white-space: nowrap; }
.scroll { overflow-x: auto; }
.badge { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; font-weight: 600;
  white-space: nowrap; }
.worse { color: var(--bad); } .better, .same { color: var(--good); } .unsure { color: var(--warn); }
.design { color: var(--info); } .none { color: var(--dim); }
.card { border: 1px solid var(--line); border-left: .3rem solid var(--info); border-radius: .3rem;
  padding: .6rem .9rem; margin: .6rem 0; } .card.note { border-left-color: var(--warn); }
.card table { width: auto; } .card td { border: 0; padding: .05rem 1.2rem .05rem 0; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin: 0 .3rem 0 .8rem;
  vertical-align: -.05rem; } .key:first-child { margin-left: 0; }
.key.b { background: var(--before); } .key.a { background: var(--after); }
.key.m3 { background: var(--m3); } .key.l3 { background: var(--l3); }
svg { display: block; } svg .b { fill: var(--before); } svg .a { fill: var(--after); }
svg.strip { max-width: 100%; height: auto; max-height: 30px; }
svg.forest { width: 9rem; height: .8rem; margin-top: .2rem; } svg.forest rect { fill: currentColor; }
svg.forest line { stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
svg.forest .one, svg.change line { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
svg.change { width: 8rem; height: .6rem; margin-top: .45rem; }
svg.change .more { fill: var(--bad); } svg.change .less { fill: var(--info); }
svg.plot { width: 100%; max-width: 50rem; height: auto; } svg.plot text { font-size: 12px; fill: var(--dim); }
svg.plot .axis, svg.plot .mark { stroke: var(--dim); stroke-width: 1; } svg.plot .mark { stroke-dasharray: 3 3; }
.flame { position: relative; overflow: hidden; font: 12px/19px ui-monospace, monospace; margin: .4rem 0; }
.flame .f { position: absolute; height: 19px; overflow: hidden; white-space: nowrap; padding: 0 3px; cursor: pointer;
  background: var(--flame); color: var(--ink); border-right: 1px solid Canvas; text-overflow: ellipsis; }
.flame .m1 { background: var(--m1); } .flame .m2 { background: var(--m2); } .flame .m3 { background: var(--m3); }
.flame .l1 { background: var(--l1); } .flame .l2 { background: var(--l2); } .flame .l3 { background: var(--l3); }
.flame .f:hover { outline: 1px solid var(--ink); outline-offset: -1px; } .detail { min-height: 2.6em; margin: 0;
  overflow-wrap: anywhere; }
details { margin: .6rem 0; } summary { cursor: pointer; }
@media (max-width: 48rem) {
  .stack thead { display: none; } .stack tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .stack td { display: block; border: 0; padding: .1rem 0; text-align: left; }
  .stack td[data-name]::before { content: attr(data-name) ": "; color: var(--dim); }
  .stack td:empty { display: none; } .stack td.n:not(:empty) { display: inline-block; margin-right: 1rem; }
  .card td { display: block; padding: 0; } .card td:first-child { color: var(--dim); }
  .card td:nth-child(2) { display: inline; } .card td:nth-child(2):not(:empty)::after { content: " → "; }
  .card td:nth-child(3) { display: inline; }
  svg.plot text { font-size: 18px; } svg.plot .odd { display: none; }
}
@media print { .flame .f { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

# Zooms into the chosen frame, and describes it in text. The page works without the script.
_SCRIPT = """
for (const flame of document.querySelectorAll(".flame")) {
  const frames = [...flame.children].map((box) => ({
    box, left: parseFloat(box.style.left), width: parseFloat(box.style.width) }));
  flame.addEventListener("click", (event) => {
    const chosen = frames.find((frame) => frame.box === event.target);
    if (!chosen) return;
    const end = chosen.left + chosen.width;
    for (const { box, left, width } of frames) {
      const from = Math.max(left, chosen.left), to = Math.min(left + width, end);
      box.hidden = to - from < 1e-6;
      box.style.left = 100 * (from - chosen.left) / chosen.width + "%";
      box.style.width = 100 * (to - from) / chosen.width + "%";
    }
    flame.nextElementSibling.textContent = chosen.box.title;
  });
}
"""


def html_document(title: str, body: str) -> str:
    """The whole file; `title` is text, `body` is HTML."""
    allowed = b64encode(sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; base-uri 'none'"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{html_text(title)} · pprof-exporter</title><style>{_STYLE}</style></head><body>
{body}
<p class="small">Made by pprof-exporter {html_text(__version__)}.</p>
<script>{_SCRIPT}</script></body></html>
"""
