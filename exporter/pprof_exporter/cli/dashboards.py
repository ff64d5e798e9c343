"""`pprof-exporter dashboards`: the Grafana dashboards, as files to import or to provision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pprof_exporter.cli.options import Parser
from pprof_exporter.cli.output import complain, say


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
            say(str(path))
    except OSError as error:
        complain(f"{folder}: {error.strerror or error}")
        return 2
    return 0
