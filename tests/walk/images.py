"""Images under the names that the composition has for them, made of what Debian and the package index have."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import go
from tests.lab.debian import unpacked
from tests.lab.prometheus import alertmanager, prometheus
from tests.walk.podman import BASE, Podman

_GO = "1.25.5"
_TOOLCHAIN = f"""\
FROM {BASE}
COPY go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH GOTOOLCHAIN=local
"""
# As their projects lay out their images.
_SERVER = f"""\
FROM {BASE}
RUN ln -s /bin/busybox /usr/bin/wget && install -d -o nobody -g nogroup /%(name)s
COPY server /bin/%(name)s
COPY share /usr/share/prometheus
USER nobody
VOLUME /%(name)s
WORKDIR /%(name)s
ENTRYPOINT ["/bin/%(name)s"]
CMD ["--config.file=/etc/%(name)s/%(name)s.yml", "--storage.%(storage)s=/%(name)s"]
"""


def golang(podman: Podman, folder: Path) -> None:
    """What the demo service is built in."""
    folder.mkdir()
    shutil.copytree(go.toolchain(_GO).parents[1], folder / "go", symlinks=True)
    _build(podman, folder, _TOOLCHAIN, "localhost/golang:1.25-bookworm")


def prometheus_of_debian(podman: Podman, folder: Path, tag: str) -> None:
    """Debian's newest Prometheus."""
    _server(podman, folder, tag, {"name": "prometheus", "storage": "tsdb.path"}, prometheus("sid"))


def alertmanager_of_debian(podman: Podman, folder: Path, tag: str) -> None:
    """Debian's newest Alertmanager."""
    _server(podman, folder, tag, {"name": "alertmanager", "storage": "path"}, alertmanager("sid"))


def _server(podman: Podman, folder: Path, tag: str, names: dict[str, str], program: Path) -> None:
    folder.mkdir()
    shutil.copy(program, folder / "server")
    shutil.copytree(unpacked([], "sid") / "usr/share/prometheus", folder / "share", symlinks=True)
    _build(podman, folder, _SERVER % names, f"localhost/{tag}")


def _build(podman: Podman, folder: Path, text: str, tag: str) -> None:
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(text)
    podman.build(dockerfile, tag, folder)
