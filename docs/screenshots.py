"""Take the pictures of the documentation: `make pictures`.

The demo runs, a headless browser opens the page of its Windows target once there is something to see, and what it shows
is the picture.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.lab import chromium, free_port

IMAGES = Path(__file__).parent / "images"
WITHIN = 600
"""Seconds until the demo has findings. The leak of its story comes in the third minute."""
FINDING = 'class="card warning" id="F10"'
SHARP = ("--hide-scrollbars", "--force-device-scale-factor=1.5")


def main() -> int:
    """Take them; returns the exit code."""
    browser = chromium.program()
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "pprof_exporter", "demo", f"--web.listen-address={address}", "--log.level=error"]
    demo = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        url = f"http://{address}/targets/windows"
        _wait_for_a_finding(url)
        _take(browser, url, IMAGES / "target.png", "1000,760")
    finally:
        demo.terminate()
        demo.wait()
    return 0


def _wait_for_a_finding(url: str) -> None:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url) as page:
                if FINDING in page.read().decode():
                    return
        except urllib.error.URLError:
            pass  # It has not started yet.
        time.sleep(1)
    raise TimeoutError(f"the demo found nothing within {WITHIN} s")


def _take(browser: Path, url: str, picture: Path, size: str) -> None:
    picture.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        place = [f"--user-data-dir={profile}", f"--screenshot={picture}", f"--window-size={size}"]
        subprocess.run([browser, *chromium.QUIET, *SHARP, *place, url], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
