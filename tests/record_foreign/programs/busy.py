"""A small busy program: nested functions, a class and a second thread. Runs for the seconds of its first argument."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import time


class Stock:
    """Rows of texts by number."""

    def __init__(self) -> None:
        self.rows: dict[int, list[str]] = {}

    def put(self, key: int, value: str) -> None:
        row = self.rows.setdefault(key, [])
        row.append(value)
        if len(row) > 50:
            self.rows[key] = sorted(row)[:10]


def digest(number: int) -> str:
    return hashlib.sha256(b"%d" % number * 200).hexdigest()


def letters(number: int) -> list[str]:
    def found() -> list[str]:
        return re.findall(r"[a-f]+", digest(number))

    return sorted(found(), key=lambda text: (len(text), text))


def run(stock: Stock, seconds: float) -> int:
    """How many rounds fit into the seconds."""
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        stock.put(rounds % 31, digest(rounds))
        letters(rounds)
    return rounds


def main(seconds: float) -> None:
    """Work in two threads."""
    second = threading.Thread(target=run, args=(Stock(), seconds), name="second")
    second.start()
    run(Stock(), seconds)
    second.join()


if __name__ == "__main__":
    main(float(sys.argv[1]))
