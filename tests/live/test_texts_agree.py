"""Regular expressions, URLs and lists of targets: what Go and Prometheus make of them, we make of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from random import Random

import pytest

from pprof_exporter.inputs.regexp import anchored
from pprof_exporter.inputs.regexp_syntax import BadRegexp
from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import below, parse_url
from tests.inputs.expressions import TABLE, expression, text
from tests.lab import PATIENCE, go

# `NewRegexp` of Prometheus 3 (model/relabel/relabel.go), and what net/http puts into the first line of a request.
READER = """package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
)

type question struct {
	Regexp *string
	Texts  []string
	URL    *string
}

type answer struct {
	Taken  bool
	Groups [][]string
	Path   string
	Host   string
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		var a answer
		if q.Regexp != nil {
			if re, err := regexp.Compile("^(?s:" + *q.Regexp + ")$"); err == nil {
				a.Taken = true
				for _, text := range q.Texts {
					a.Groups = append(a.Groups, re.FindStringSubmatch(text))
				}
			}
		}
		if q.URL != nil {
			if request, err := http.NewRequest("GET", *q.URL, nil); err == nil {
				a.Taken, a.Path, a.Host = true, request.URL.RequestURI(), request.URL.Host
			}
		}
		out.Encode(a)
	}
}
"""
GoReader = Callable[[Sequence[dict[str, object]]], list[dict[str, object]]]
CASES = 20_000


@pytest.fixture(scope="module")
def go_reader(tmp_path_factory: pytest.TempPathFactory) -> GoReader:
    """What Go makes of each question."""
    program = go.build_empty(go.EVERY_MINOR[-1], tmp_path_factory.mktemp("texts") / "reader", source=READER)

    def read(questions: Sequence[dict[str, object]]) -> list[dict[str, object]]:
        lines = "".join(f"{json.dumps(question)}\n" for question in questions)
        done = subprocess.run([program], input=lines, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return read


def ours(regexp: str, texts: Sequence[str]) -> dict[str, object]:
    """The same answer from us."""
    try:
        compiled = anchored(regexp)
    except BadRegexp:
        return {"Taken": False, "Groups": None}
    found = [compiled.search(one) for one in texts]
    count = compiled.groups + 1
    return {
        "Taken": True,
        "Groups": [None if one is None else [one.group(str(number)) for number in range(count)] for one in found],
    }


def differences(go_reader: GoReader, questions: Sequence[tuple[str, list[str]]]) -> list[tuple[str, object, object]]:
    answers = go_reader([{"Regexp": regexp, "Texts": texts} for regexp, texts in questions])
    found: list[tuple[str, object, object]] = []
    for (regexp, texts), said in zip(questions, answers, strict=True):
        mine = ours(regexp, texts)
        if mine != {key: said[key] for key in mine}:
            found.append((regexp, mine, said))
    return found


def test_expressions_are_taken_and_refused_as_by_go(go_reader: GoReader) -> None:
    random = Random(0)
    questions = [(regexp, [text(random) for _ in range(20)]) for regexp in TABLE]
    assert differences(go_reader, questions) == []


def test_matches_are_those_of_go(go_reader: GoReader) -> None:
    random = Random(1)
    questions = [(expression(random), [text(random) for _ in range(5)]) for _ in range(CASES)]
    assert differences(go_reader, questions) == []


URLS = (
    *(
        "http://h",
        "http://h:6060/a%2Fb/c",
        "http://h/a%2fb",
        "http://h/a b",
        "http://h/é",
        "http://h/%zz",
        "http://h/a%",
    ),
    *(
        "http://h/..//x/../y",
        "http://h/%41",
        "http://h/;a=b",
        "http://h/a\\b",
        "http://h/[x]",
        "http://h/a|b",
        "http://h//",
    ),
    *(
        "http://h/x?a=b%2Fc",
        "http://h/x?a=b/c?d",
        "http://h/x#y",
        "http://h/\x00",
        "http://h/\x7f",
        "http://h/x\n",
        "://h",
    ),
    *(
        "http://h:x/",
        "http://[::1]:6060/",
        "http://[::1]x/",
        "http://[::1/",
        "http://::1/",
        "http://a b/",
        "http://u:p@h/x",
    ),
)


def test_paths_are_sent_as_by_go(go_reader: GoReader) -> None:
    answers = dict(zip(URLS, go_reader([{"URL": url} for url in URLS]), strict=True))
    differ = {}
    for url, said in answers.items():
        try:
            found: tuple[bool, object] = (True, parse_url(url).raw_path_qs)
        except BadUrl:
            found = (False, "")
        if found != (said["Taken"], said["Path"]):
            differ[url] = (found, said)
    assert differ == {}


def test_what_is_below_a_mount_point_keeps_its_escapes() -> None:
    assert below(parse_url("http://h/a%2Fb/"), "heap").raw_path == "/a%2Fb/heap"
