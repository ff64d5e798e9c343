"""Our client takes and refuses the replies that Go's client takes and refuses, and reads the same in them."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from collections.abc import Callable, Sequence

import pytest

from tests.lab import PATIENCE, go
from tests.scrape.client.replies import REPLIES, Found, damaged, parsed

# `http.ReadResponse` in the loop of `persistConn.readResponse`, which skips interim replies.
READER = """package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
)

type found struct {
	Head     bool
	Status   int
	Location []byte
	Type     []byte
	Whole    bool
	Body     []byte
}

func read(data []byte) (f found) {
	reader := bufio.NewReader(bytes.NewReader(data))
	request, _ := http.NewRequest("GET", "http://target/", nil)
	for {
		reply, err := http.ReadResponse(reader, request)
		if err != nil {
			return
		}
		if reply.StatusCode/100 == 1 && reply.StatusCode != 101 {
			continue
		}
		f.Head, f.Status = true, reply.StatusCode
		f.Location, f.Type = []byte(reply.Header.Get("Location")), []byte(reply.Header.Get("Content-Type"))
		body, err := io.ReadAll(reply.Body)
		if f.Whole = err == nil; f.Whole {
			f.Body = body
		}
		return
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		data, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			panic(err)
		}
		out.Encode(read(data))
	}
}
"""
BATCHES = 10
EACH = 2_000

GoReader = Callable[[Sequence[bytes]], list[Found]]


@pytest.fixture(scope="module")
def go_reader(tmp_path_factory: pytest.TempPathFactory) -> GoReader:
    """What Go's client makes of each reply."""
    program = go.build_empty(go.EVERY_MINOR[-1], tmp_path_factory.mktemp("http") / "reader", source=READER)

    def read(replies: Sequence[bytes]) -> list[Found]:
        lines = "".join(f"{base64.b64encode(reply).decode()}\n" for reply in replies)
        done = subprocess.run([program], input=lines, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return [_found(json.loads(line)) for line in done.stdout.splitlines()]

    return read


def _found(said: dict[str, object]) -> Found:
    return Found(
        bool(said["Head"]),
        int(str(said["Status"])),
        _bytes(said["Location"]).decode("utf-8", "replace"),
        _bytes(said["Type"]).decode("utf-8", "replace"),
        bool(said["Whole"]),
        _bytes(said["Body"]),
    )


def _bytes(encoded: object) -> bytes:
    return base64.b64decode(str(encoded)) if encoded is not None else b""


def test_every_crafted_reply(go_reader: GoReader) -> None:
    names, replies = list(REPLIES), list(REPLIES.values())
    assert {name: parsed(reply) for name, reply in REPLIES.items()} == dict(zip(names, go_reader(replies), strict=True))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_changed_replies(batch: int, go_reader: GoReader) -> None:
    chance = random.Random(batch)
    seeds = [reply for reply in REPLIES.values() if len(reply) < 1_000]
    replies = [damaged(chance, seeds) for _ in range(EACH)]
    whole = 0
    for reply, said in zip(replies, go_reader(replies), strict=True):
        cuts = sorted(chance.sample(range(len(reply) + 1), min(3, len(reply) + 1)))
        assert parsed(reply, cuts) == said, (reply, cuts)
        whole += said.whole
    assert EACH / 10 < whole < EACH
