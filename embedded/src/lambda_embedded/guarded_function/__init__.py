"""What stands before a control function: its port is open to every program of this machine."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("main.py")
"""For `functions-framework --source`."""
FUNCTION = "KN_LAMBDA_EMBEDDED_FUNCTION"
"""Variable that names the function's own main.py."""
CREDENTIAL = "KN_LAMBDA_EMBEDDED_CREDENTIAL"
"""Variable with what callers have to show as `Authorization`; another one for each process."""
