"""What MkDocs is told beside `mkdocs.yml`: where the notebooks are, in what they run, and that pages fetch nothing from outside."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)

_scratch: list[tempfile.TemporaryDirectory[str]] = []


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give the notebooks' kernels folders of their own, with a store without runs."""
    _scratch.append(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    folder = Path(_scratch[-1].name)
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    # At the usual level, the kernel warns of unencrypted loopback at every start.
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
    os.environ.update(TRACKBOOK_DIR=str(folder / "store"), IPYTHONDIR=str(folder / "ipython"))
    shutil.copytree(NOTEBOOKS, folder / "docs" / "notebooks", ignore=shutil.ignore_patterns("*.py", "*.parquet"))
    return config


@event_priority(100)  # before the plugin that makes pages of notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the notebooks, which are not in `docs/`."""
    docs = Path(_scratch[-1].name) / "docs"
    for path in sorted(docs.glob("notebooks/*.ipynb")):
        files.append(File(path.relative_to(docs).as_posix(), str(docs), config.site_dir, config.use_directory_urls))
    return files


def on_page_content(html: str, **_: object) -> str:
    """Take out what nbconvert loads from CDNs: widgets, which draw without it here, MathJax and Mermaid, which no notebook uses."""

    def kept(script: re.Match[str]) -> str:
        attributes, code = script.groups()
        is_foreign = "json" not in attributes and ("://" in code or re.search(r'src="(https?:|")', attributes))
        return "" if is_foreign else script[0]

    return SCRIPT.sub(kept, html)


def on_post_build(**_: object) -> None:
    while _scratch:
        _scratch.pop().cleanup()
