"""A load for tests of `capture --matrix`: asks one address again and again until it is ended."""

from __future__ import annotations

import sys
import time
import urllib.request

if __name__ == "__main__":
    while True:
        with urllib.request.urlopen(f"http://{sys.argv[1]}/metrics", timeout=60) as reply:
            reply.read()
        time.sleep(0.05)
