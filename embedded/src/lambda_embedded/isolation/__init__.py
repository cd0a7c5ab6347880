"""Keeps a child process and all that it starts together, so that all of it ends together.

`PlainHolder` is for our own programs, the other two for those of others: `BubblewrapHolder` where
bubblewrap works, which also hides this machine's files and processes from them, and
`SupervisorHolder` where it does not.
"""

from lambda_embedded.isolation.bubblewrap import BubblewrapHolder
from lambda_embedded.isolation.choice import (
    NoSandboxError,
    choose_holder,
    find_bubblewrap,
    hidden_places,
)
from lambda_embedded.isolation.launch import Holder, Program, View
from lambda_embedded.isolation.plain import PlainHolder
from lambda_embedded.isolation.supervision import SupervisorHolder

__all__ = [
    "BubblewrapHolder",
    "Holder",
    "NoSandboxError",
    "PlainHolder",
    "Program",
    "SupervisorHolder",
    "View",
    "choose_holder",
    "find_bubblewrap",
    "hidden_places",
]
