"""uvicorn's server without its command line.

`import uvicorn` brings that too: click, and supervisors with multiprocessing. They are a tenth of
the work of a start, and a function's own click would come too late.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_COMMAND_LINE = "uvicorn.main"
_ITS_NAMES = ("Server", "main", "run")

_stand_in = sys.modules[_COMMAND_LINE] = ModuleType(_COMMAND_LINE)
vars(_stand_in).update(dict.fromkeys(_ITS_NAMES))

import uvicorn  # noqa: E402 - it asks the stand-in for those names
from uvicorn.config import Config  # noqa: E402
from uvicorn.server import Server  # noqa: E402

__all__ = ["Config", "Server"]


def _command_line(name: str) -> Any:
    if name in _ITS_NAMES:
        return getattr(importlib.import_module(_COMMAND_LINE), name)
    message = f"module 'uvicorn' has no attribute {name!r}"
    raise AttributeError(message)


# A function that uses uvicorn itself finds all of it.
del sys.modules[_COMMAND_LINE]
for _name in _ITS_NAMES:
    delattr(uvicorn, _name)
vars(uvicorn)["__getattr__"] = _command_line
