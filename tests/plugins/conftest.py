"""Puts each package's folder where its modules are found, as the host does for the one it starts."""

from __future__ import annotations

import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

sys.path.append(str(Path(__file__).resolve().parent))  # for `home`, the fixtures
for _folder in sorted(PLUGINS.iterdir()):
    if (_folder / "panel.toml").is_file() and str(_folder) not in sys.path:
        sys.path.append(str(_folder))
