"""The files beside the code that programs read: `functions/`, `runtimes/` and `config/`."""

from __future__ import annotations

from pathlib import Path

_IN_WHEEL = Path(__file__).with_name("files")
_IN_CHECKOUT = Path(__file__).resolve().parents[3]

INSTALLATION = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CHECKOUT
"""Where the three are: in the wheel beside this module, otherwise in the checkout around it.

Nobody may write there: it can belong to root, or to an archive that is mounted read-only.
"""
