"""Programs from Debian that serve pprof, in the generation of this machine's release and in Debian's newest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program runs. Ports belong to it alone; not every program uses all of them."""

    folder: Path
    pprof: int
    """Of /debug/pprof/."""
    service: int
    """Of what the program is for. Many programs have one port for both, which is `pprof`."""
    other: int

    def write(self, name: str, text: str) -> Path:
        """A file in its folder."""
        file = self.folder / name
        file.write_text(text)
        return file

    def new(self, name: str) -> Path:
        """A folder in its folder."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


@dataclass(frozen=True, slots=True)
class Package:
    """How a program is started. `arguments` writes its configuration, and returns the command line without the name."""

    name: str
    debian: str
    arguments: Callable[[Place], Sequence[object]]
    program: str = ""
    """Below /usr in the package; the name of the package in bin without."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """With {pprof} for the port."""
    ready: str = "/debug/pprof/cmdline"
    """Answers with success, on the port of pprof, when the program is ready."""


def loopback(port: int) -> str:
    return f"127.0.0.1:{port}"


def _prometheus(place: Place) -> Sequence[object]:
    # `inhabitants` writes the configuration, when the addresses of all programs are known.
    listen = f"--web.listen-address={loopback(place.pprof)}"
    return (f"--config.file={place.folder}/config.yml", f"--storage.tsdb.path={place.folder}/data", listen)


def _alertmanager(place: Place) -> Sequence[object]:
    config = json.dumps({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]})
    return (
        f"--config.file={place.write('config.yml', config)}",
        f"--storage.path={place.folder}/data",
        f"--web.listen-address={loopback(place.pprof)}",
        "--cluster.listen-address=",
    )


def _listening(place: Place) -> Sequence[object]:
    return (f"--web.listen-address={loopback(place.pprof)}",)


def _blackbox(place: Place) -> Sequence[object]:
    module = {"prober": "http", "timeout": "2s", "http": {"preferred_ip_protocol": "ip4"}}
    config = place.write("config.yml", json.dumps({"modules": {"http_2xx": module}}))
    return (f"--config.file={config}", f"--web.listen-address={loopback(place.pprof)}")


def _etcd(place: Place) -> Sequence[object]:
    client, peer = f"http://{loopback(place.pprof)}", f"http://{loopback(place.other)}"
    return (
        "--name=zoo",
        f"--data-dir={place.folder}/data",
        "--enable-pprof",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=zoo={peer}",
    )


def _victoria(place: Place) -> Sequence[object]:
    return (f"-httpListenAddr={loopback(place.pprof)}", f"-storageDataPath={place.folder}/data")


def _caddy(place: Place) -> Sequence[object]:
    place.write("index.html", "<p>Hello</p>\n" * 200)
    site = f"http://{loopback(place.service)} {{\n  root * {place.folder}\n  encode gzip\n  file_server\n}}\n"
    options = f"{{\n  admin {loopback(place.pprof)}\n  auto_https off\n}}\n"
    return ("run", "--config", place.write("Caddyfile", options + site), "--adapter", "caddyfile")


def _nats(place: Place) -> Sequence[object]:
    config = f"listen: {loopback(place.service)}\nprof_port: {place.pprof}\n"
    return ("-c", place.write("nats.conf", config))


def _influxdb(place: Place) -> Sequence[object]:
    # bind-address is that of backups.
    config = f"""
reporting-disabled = true
bind-address = "{loopback(place.other)}"
[meta]
  dir = "{place.folder}/meta"
[data]
  dir = "{place.folder}/data"
  wal-dir = "{place.folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "{loopback(place.pprof)}"
  pprof-enabled = true
"""
    return ("run", "-config", place.write("influxdb.conf", config))


def _syncthing(place: Place) -> Sequence[object]:
    # Without these it announces itself, maps ports, joins relays, and looks for upgrades.
    off = ("globalAnnounce", "localAnnounce", "relays", "nat", "crashReporting")
    options = "".join(f"<{name}Enabled>false</{name}Enabled>" for name in off)
    place.write(
        "config.xml",
        f'<configuration version="35"><gui enabled="true" tls="false"><address>{loopback(place.service)}</address>'
        f"<apikey>zoo</apikey></gui><options><listenAddress>tcp://{loopback(place.other)}</listenAddress>{options}"
        "<startBrowser>false</startBrowser><urAccepted>-1</urAccepted>"
        "<autoUpgradeIntervalH>0</autoUpgradeIntervalH></options></configuration>",
    )
    return ("serve", f"--home={place.folder}", "--no-browser", "--no-restart", "--no-default-folder")


def _rclone(place: Place) -> Sequence[object]:
    files = place.new("files")
    (files / "one").write_text("one")
    listen = f"--rc-addr={loopback(place.pprof)}"
    return ("rcd", "--rc-no-auth", listen, "--rc-enable-metrics", f"--config={place.write('rclone.conf', '')}")


def _mtail(place: Place) -> Sequence[object]:
    place.write("log", "")
    place.new("programs").joinpath("lines.mtail").write_text("counter lines_total\n/$/ {\n  lines_total++\n}\n")
    listen = ("--address", "127.0.0.1", "--port", place.pprof)
    return (*listen, "--progs", place.folder / "programs", "--logs", place.folder / "log", "--logtostderr")


def _registry(place: Place) -> Sequence[object]:
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(place.folder / "data")}},
        "http": {
            "addr": loopback(place.service),
            "debug": {"addr": loopback(place.pprof), "prometheus": {"enabled": True, "path": "/metrics"}},
        },
    }
    return ("serve", place.write("config.yml", json.dumps(config)))


def _gobgpd(place: Place) -> Sequence[object]:
    # It listens for other routers nowhere.
    config = '[global.config]\n  as = 64512\n  router-id = "127.0.0.1"\n  port = -1\n'
    hosts = (f"--api-hosts={loopback(place.service)}", f"--pprof-host={loopback(place.pprof)}")
    return ("-f", place.write("gobgpd.conf", config), *hosts)


_SYNCTHING = {
    "STPROFILER": "127.0.0.1:{pprof}",
    "STNOUPGRADE": "1",
    # Else it starts itself once more, and watches that process.
    "STMONITORED": "1",
}

PACKAGES = (
    Package("prometheus", "prometheus", _prometheus, ready="/-/ready"),
    Package("alertmanager", "prometheus-alertmanager", _alertmanager, ready="/-/ready"),
    Package("node_exporter", "prometheus-node-exporter", _listening),
    Package("blackbox_exporter", "prometheus-blackbox-exporter", _blackbox),
    Package("pushgateway", "prometheus-pushgateway", _listening, ready="/-/ready"),
    Package("etcd", "etcd-server", _etcd, "bin/etcd", ready="/health"),
    Package("victoria-metrics", "victoria-metrics", _victoria),
    Package("caddy", "caddy", _caddy),
    Package("nats", "nats-server", _nats, "sbin/nats-server"),
    Package("influxdb", "influxdb", _influxdb, "bin/influxd", ready="/ping"),
    Package("syncthing", "syncthing", _syncthing, environment=_SYNCTHING),
    Package("rclone", "rclone", _rclone),
    Package("mtail", "mtail", _mtail),
    Package("registry", "docker-registry", _registry),
    Package("gobgpd", "gobgpd", _gobgpd, "bin/gobgpd"),
)
