"""`pprof-exporter dashboards`: the Grafana dashboards, as files to import or to provision."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pprof_exporter.cli.options import Parser


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; exit code 0, or 2 when the files cannot be written."""
    parser = Parser(
        prog="pprof-exporter dashboards",
        description="Write the Grafana dashboards (10.4 and later), one JSON file each.",
        environ=environ,
    )
    parser.flag("output", "Output folder", default="dashboards", read=Path)
    folder: Path = vars(parser.parse_args(argv))["output"]
    from pprof_exporter.dashboards import DASHBOARDS, render_dashboard

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for dashboard in DASHBOARDS:
            path = folder / f"{dashboard.uid}.json"
            path.write_text(render_dashboard(dashboard), encoding="utf-8")
            print(path)
    except OSError as error:
        print(f"pprof-exporter: {folder}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0
