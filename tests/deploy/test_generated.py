"""What `make docs` writes below deploy/ is what lies there."""

from __future__ import annotations

import importlib.util

from tests.lab import PROJECT


def test_generated_files_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("deploy_generate", PROJECT / "deploy" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages = module.pages()
    stale = [path for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"
    for folder in ("helm/pprof-exporter/files/dashboards", "helm/pprof-exporter/files"):
        left = [path for path in (PROJECT / "deploy" / folder).iterdir() if path.is_file() and path not in pages]
        assert left == [], "nobody writes these any more"
