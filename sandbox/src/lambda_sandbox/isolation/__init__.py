"""How child processes run: what they see, and how everything they start ends with them.

`NoIsolation` is for our own programs. Untrusted programs get `BubblewrapIsolation` where bubblewrap
works, which hides this machine's files and processes, and `SupervisorIsolation` elsewhere.
"""

from lambda_sandbox.isolation.bubblewrap import BubblewrapIsolation
from lambda_sandbox.isolation.choice import (
    NoSandboxError,
    choose_isolation,
    find_bubblewrap,
    hidden_places,
)
from lambda_sandbox.isolation.launch import Isolation, Program, View
from lambda_sandbox.isolation.plain import NoIsolation
from lambda_sandbox.isolation.supervision import SupervisorIsolation

__all__ = [
    "BubblewrapIsolation",
    "Isolation",
    "NoIsolation",
    "NoSandboxError",
    "Program",
    "SupervisorIsolation",
    "View",
    "choose_isolation",
    "find_bubblewrap",
    "hidden_places",
]
