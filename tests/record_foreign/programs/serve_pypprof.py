"""Serves pypprof on the loopback, fetches each endpoint and writes its body into the folder given."""

from __future__ import annotations

import sys
import threading
import urllib.request
from pathlib import Path

import busy  # type: ignore[import-not-found,unused-ignore]
import mprofile  # type: ignore[import-not-found,unused-ignore]
from pypprof import net_http  # type: ignore[import-not-found,unused-ignore]


def fetch(port: int, out: Path) -> None:
    for name, query in (("profile", "?seconds=2"), ("wall", "?seconds=1"), ("heap", ""), ("thread", "")):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/debug/pprof/{name}{query}", timeout=20) as answer:
            (out / f"python-pypprof-{name}.pb.gz").write_bytes(answer.read())


def main(out: Path) -> None:
    """Work in the main thread while another one fetches."""
    mprofile.start(sample_rate=1024)
    server = net_http.start_pprof_server(host="127.0.0.1", port=0)
    fetcher = threading.Thread(target=fetch, args=(server.server_address[1], out), name="fetcher")
    fetcher.start()
    kept = busy.Stock()
    while fetcher.is_alive():
        busy.run(kept, 0.2)
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
