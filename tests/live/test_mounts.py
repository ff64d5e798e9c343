"""Real Go servers that mount pprof in odd ways, or speak HTTP/2 only, are read as Go's client reads them, or named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from pprof_exporter.cli import main
from tests.lab import go
from tests.live.test_check import BUSY_MACHINE, QUICK

NEWEST = go.VERSIONS[-1]

SOURCE = """package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
)

func listen(name string) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(name, listener.Addr())
	return listener
}

func routes(paths map[string]http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	for path, handler := range paths {
		mux.HandleFunc(path, handler)
	}
	return mux
}

func main() {
	pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	certificates := &tls.Config{Certificates: []tls.Certificate{pair}}
	whole := http.DefaultServeMux

	go http.Serve(listen("whole"), whole)
	go http.Serve(listen("index_only"), routes(map[string]http.HandlerFunc{"/debug/pprof/": pprof.Index}))
	go http.Serve(listen("exact_routes"), routes(map[string]http.HandlerFunc{
		"/debug/pprof/{$}":       pprof.Index,
		"/debug/pprof/cmdline":   pprof.Cmdline,
		"/debug/pprof/profile":   pprof.Profile,
		"/debug/pprof/heap":      pprof.Handler("heap").ServeHTTP,
		"/debug/pprof/goroutine": pprof.Handler("goroutine").ServeHTTP,
	}))
	go http.Serve(listen("other_path"), routes(map[string]http.HandlerFunc{"/internal/pprof/": pprof.Index}))
	go http.Serve(listen("limited"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "rate limited: 3 requests a minute", http.StatusTooManyRequests)
	}))
	go http.Serve(listen("changed_by_proxy"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/heap") {
			w.WriteHeader(http.StatusPartialContent)
		}
		whole.ServeHTTP(w, r)
	}))

	both := &http.Server{Handler: whole, TLSConfig: certificates.Clone()}
	go both.ServeTLS(listen("tls"), "", "")
	http2 := &http.Server{Handler: whole, TLSConfig: certificates.Clone(), Protocols: new(http.Protocols)}
	http2.Protocols.SetHTTP2(true)
	go http2.ServeTLS(listen("http2"), "", "")
	plain2 := &http.Server{Handler: whole, Protocols: new(http.Protocols)}
	plain2.Protocols.SetUnencryptedHTTP2(true)
	go plain2.Serve(listen("plain_http2"))
	wanting := &http.Server{Handler: whole, TLSConfig: certificates.Clone()}
	wanting.TLSConfig.ClientAuth = tls.RequireAnyClientCert
	go wanting.ServeTLS(listen("wants_certificate"), "", "")
	fmt.Println("ready")
	select {}
}
"""


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses by name, and the certificate of their authority."""

    addresses: dict[str, str]
    ca: Path


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("mounts")
    program = go.build_empty(NEWEST, folder / "main", source=SOURCE)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    pair = authority.issue_cert("127.0.0.1")
    pair.cert_chain_pems[0].write_to_path(folder / "server.pem")
    pair.private_key_pem.write_to_path(folder / "server.key")
    command = [program, folder / "server.pem", folder / "server.key"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            addresses = {}
            for line in iter(process.stdout.readline, "ready\n"):
                name, address = line.split()
                addresses[name] = address
            yield Servers(addresses, folder / "ca.pem")
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` says of one target."""

    code: int
    problem: str
    findings: list[str]
    profiles: int

    def finding(self, words: str) -> str:
        (found,) = [finding for finding in self.findings if words in finding]
        return found


def check(capsys: pytest.CaptureFixture[str], tmp_path: Path, ca: Path, scheme: str, target: str) -> Checked:
    config = tmp_path / "job.yml"
    target_group = {"targets": [target]}
    job = {"job_name": "one", "scheme": scheme, "tls_config": {"ca_file": str(ca)}, "static_configs": [target_group]}
    config.write_text(json.dumps({"scrape_configs": [job]}))
    code = main(["check", *QUICK, *BUSY_MACHINE, f"--config.file={config}"], {})
    (one,) = json.loads(capsys.readouterr().out)["targets"]
    findings = [finding["said"] for verdict in one["verdicts"] for finding in verdict["findings"]]
    known = sum(verdict["level"] == "healthy" for verdict in one["verdicts"])
    return Checked(code, one["problem"] or "", findings, known)


@pytest.mark.parametrize(("name", "scheme"), [("http2", "https"), ("plain_http2", "http"), ("tls", "https")])
def test_a_server_that_speaks_http_2_only_is_read_like_any_other(
    servers: Servers, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, scheme: str
) -> None:
    found = check(capsys, tmp_path, servers.ca, scheme, servers.addresses[name])
    usual = check(capsys, tmp_path, servers.ca, "http", servers.addresses["whole"])
    assert (found.code, found.problem, found.findings) == (usual.code, "", usual.findings) == (0, "", [])
    assert found.profiles > 5


def test_an_index_page_without_the_handlers_beside_it_names_them(
    servers: Servers, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = check(capsys, tmp_path, servers.ca, "http", servers.addresses["index_only"])
    assert found.code == 1
    said = found.finding("fetch of cpu failed")
    assert 'HTTP 404 Not Found: "Unknown profile"' in said
    assert "register pprof.Profile under /debug/pprof/profile" in said
    assert "upgrade Go" not in said


def test_a_router_with_exact_routes_is_told_which_profiles_it_does_not_pass_on(
    servers: Servers, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = check(capsys, tmp_path, servers.ca, "http", servers.addresses["exact_routes"])
    assert found.code == 1
    said = found.finding("failed: ")
    for name in ("allocs", "block", "mutex", "threadcreate"):
        assert name in said
    assert "Register pprof.Handler(NAME)" in said
    assert "Import net/http/pprof" not in said


def test_pprof_under_another_path_is_told_where_its_handlers_work(
    servers: Servers, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    address = f"http://{servers.addresses['other_path']}/internal/pprof/"
    found = check(capsys, tmp_path, servers.ca, "http", address)
    assert found.code != 0
    said = f"{found.problem} {' '.join(found.findings)}"
    assert "the page is the index page of pprof itself" in said
    assert "/debug/pprof/NAME" in said
    assert "login page" not in said


@pytest.mark.parametrize(
    ("name", "scheme", "words"),
    [
        ("tls", "http", ('HTTP 400 Bad Request: "Client sent an HTTP request to an HTTPS server."', "Use https")),
        ("whole", "https", ("the port speaks plain HTTP", "Use http in")),
        ("limited", "http", ('HTTP 429 Too Many Requests: "rate limited: 3 requests a minute"',)),
        ("wants_certificate", "https", ("the server wants a client certificate", "tls_config.cert_file")),
    ],
)
def test_check_says_what_the_server_said(
    servers: Servers,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    scheme: str,
    words: tuple[str, ...],
) -> None:
    found = check(capsys, tmp_path, servers.ca, scheme, servers.addresses[name])
    assert found.code == 2
    for part in words:
        assert part in found.problem


def test_a_status_for_a_part_of_a_body_is_not_called_an_empty_reply(
    servers: Servers, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = check(capsys, tmp_path, servers.ca, "http", servers.addresses["changed_by_proxy"])
    assert "HTTP 206 Partial Content" in found.finding("fetch of heap and memstats failed")
    assert "no body" not in found.finding("fetch of heap and memstats failed")
