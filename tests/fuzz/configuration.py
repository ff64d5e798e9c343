"""The configuration file and the web configuration file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from pprof_exporter.config import ConfigError, Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.web.webconfig import read_web_config
from tests.fuzz import nasty
from tests.fuzz.grammar import Grammar
from tests.fuzz.yaml_writer import Value, YamlWriter

_BASE = Settings((), default_profiles())
_TIMES = ("30s", "1m", "1h30m", "5ms", "60", "0", "off", "1e999", "9999999999999999999w", ".inf", "292y")
_SIZES = ("64MB", "1GiB", "1000", "9" * 30, "0", "8EB")
_TEXTS = ("shop", "1.10", "true", "007", "~", "20261128", '"a b"', "null", "0x1F", "1:30", "é")
_REGEXES = ('"(.+):\\\\d+"', "a|b", "'[a-z]+'", "8080", "'('", "'(a+)+$'", r"'\p{Greek}'", "'a{1001}'", "''")
_TARGETS = ("shop:6060", "'[::1]:6060'", "http://shop/a%2Fb", "'[::1]@'", "6060", "'http://['")
_URLS = ("http://h/x", "https://u:p@h:1/a?b=c", "'http://['", "ftp://x", "http://h:0", "http://é/")


def _one(random: Random, options: tuple[str, ...]) -> str:
    # The first few of each are valid, so most files are.
    return options[min(int(random.expovariate(1.6)), len(options) - 1)]


def _client(random: Random) -> dict[str, Value]:
    options: list[dict[str, Value]] = [
        {"basic_auth": {"username": _one(random, _TEXTS), "password": _one(random, _TEXTS)}},
        {"authorization": {"credentials": _one(random, _TEXTS)}},
        {"oauth2": {"client_id": _one(random, _TEXTS), "client_secret": "x", "token_url": _one(random, _URLS)}},
        {"proxy_url": _one(random, _URLS), "no_proxy": _one(random, _TEXTS)},
        {"tls_config": {"insecure_skip_verify": _one(random, ("true", "false", "yes", "on", "1"))}},
        {"http_headers": {"X-A": {"values": [_one(random, _TEXTS)], "secrets": [_one(random, _TEXTS)]}}},
        {"follow_redirects": _one(random, ("true", "no", "off"))},
    ]
    return random.choice(options)


def _rule(random: Random) -> dict[str, Value]:
    return {
        "source_labels": [_one(random, ("__address__", "env", "1"))],
        "regex": _one(random, _REGEXES),
        "target_label": _one(random, ("env", "target", "'${1}'", "1")),
        "replacement": _one(random, ("$1", "1", "2024-02-30", "'${1}x'", "007")),
        **({"action": _one(random, ("replace", "keep", "DROP", "labelmap", "x"))} if random.random() < 0.5 else {}),
        **({"modulus": _one(random, ("3", "0x10", "9" * 30))} if random.random() < 0.2 else {}),
    }


def _job(random: Random, number: int) -> dict[str, Value]:
    job: dict[str, Value] = {"job_name": _one(random, (f"job{number}", f"{number}", "true"))}
    if random.random() < 0.7:
        labels: dict[str, Value] = {_one(random, ("env", "version", "1", "le")): _one(random, _TEXTS)}
        job["static_configs"] = [{"targets": [_one(random, _TARGETS)], "labels": labels}]
    if random.random() < 0.4:
        job["file_sd_configs"] = [{"files": [_one(random, ("a.yml", "'*.json'", "x/*/a.json", "1"))]}]
    if random.random() < 0.3:
        job["http_sd_configs"] = [{"url": _one(random, _URLS), **_client(random)}]
    if random.random() < 0.3:
        job["dns_sd_configs"] = [{"names": [_one(random, _TEXTS)], "type": "A", "port": _one(random, ("6060", "0x1"))}]
    if random.random() < 0.5:
        job["relabel_configs"] = [_rule(random) for _ in range(random.randint(1, 3))]
    if random.random() < 0.3:
        job["params"] = {"node": [_one(random, _TEXTS)]}
    if random.random() < 0.3:
        job["metrics_page"] = _one(random, ("/metrics", "':8080/a%2Fb'", "/%zz", "':99999/x'", "6"))
    if random.random() < 0.3:
        job["scrape_interval"] = _one(random, _TIMES)
    return {**job, **(_client(random) if random.random() < 0.4 else {})}


def _configuration(random: Random) -> bytes:
    document: dict[str, Value] = {}
    if random.random() < 0.4:
        document["global"] = {
            "scrape_interval": _one(random, _TIMES),
            "profiling_budget": _one(random, ("0.5", "1", ".nan", "1e999")),
        }
    if random.random() < 0.3:
        document["profiles"] = {_one(random, ("cpu", "heap", "1")): {"interval": _one(random, _TIMES)}}
    if random.random() < 0.3:
        document["limits"] = {"wire_bytes": _one(random, _SIZES), "concurrency": _one(random, ("4", "0b11", "9" * 30))}
    if random.random() < 0.2:
        document["evidence"] = {"max_bytes": _one(random, _SIZES), "push": {"url": _one(random, _URLS)}}
    if random.random() < 0.2:
        document["probe"] = {"allowed": {"ports": [_one(random, ("6060", "'1-9'", "٦"))], "hosts": ["'*.x'"]}}
    if random.random() < 0.2:
        document["modules"] = {_one(random, _TEXTS): {"timeout": _one(random, _TIMES), "path": "/debug/pprof"}}
    document["scrape_configs"] = [_job(random, number) for number in range(random.choice((0, 1, 1, 2)))]
    return nasty.damaged(random, YamlWriter(random, random.choice((0, 0, 0.01, 0.1))).document(document))


_HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"


def _web_configuration(random: Random) -> bytes:
    document: dict[str, Value] = {
        "basic_auth_users": {_one(random, ("alice", "1", "true")): _one(random, (_HASH, "x"))}
    }
    if random.random() < 0.4:
        document["rate_limit"] = {
            "burst": _one(random, ("5", "2024-02-30", "9" * 5000, "!!bool foo")),
            "interval": _one(random, ("1s", "0", *_TIMES)),
        }
    if random.random() < 0.4:
        headers: dict[str, Value] = {"X-Frame-Options": _one(random, ("deny", "1")), "X-XSS-Protection": "0"}
        document["http_server_config"] = {"headers": headers, "http2": _one(random, ("true", "no", "x"))}
    if random.random() < 0.2:
        document["tls_server_config"] = {"cert_file": _one(random, ("a.pem", "1")), "key_file": "a.pem"}
    return nasty.damaged(random, YamlWriter(random, random.choice((0, 0, 0.01, 0.1))).document(document))


def _file(case: bytes) -> Path:
    file = Path(_folder()) / "file.yml"
    file.write_bytes(case)
    return file


@cache
def _folder() -> str:
    """One folder for all cases of this process: to make and remove one takes as long as to read a file in it."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _read(case: bytes) -> None:
    repr(load_config(_file(case), _BASE)).encode()


def _read_web(case: bytes) -> None:
    read_web_config(_file(case))


GRAMMARS = (
    Grammar("configuration", _configuration, _read, (ConfigError,)),
    Grammar("web_configuration", _web_configuration, _read_web, (ConfigError,)),
)
