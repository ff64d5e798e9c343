"""Derive which functions Go moved between packages, and write the table of the exporter.

python -m tests.record_renames

Reads the standard libraries of the Go versions of tests/lab/go.py and of Debian's golang-1.19-src. Prints each move.
"""

from __future__ import annotations

from tests.record_renames.table import FILE, derived, libraries, rendered


def main() -> None:
    """Write the table."""
    found = libraries()
    rows = derived(found)
    for row in rows:
        print(f"1.{row.minor}: {row.moved:3} of {row.had:4} functions of {row.old} to {row.new}")
    FILE.write_text(rendered(rows, found), encoding="utf-8")


if __name__ == "__main__":
    main()
