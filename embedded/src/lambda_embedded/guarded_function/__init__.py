"""Guards a control function, whose port every program on this machine can reach."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("main.py")
"""For `functions-framework --source`."""
FUNCTION = "KN_LAMBDA_EMBEDDED_FUNCTION"
"""Variable that names the function's own main.py."""
CREDENTIAL = "KN_LAMBDA_EMBEDDED_CREDENTIAL"
"""Variable with the credential that callers must send; different for each process."""
HEADER = "Knative-Lambda-Platform"
"""Where they send it: in `Authorization`, one function needs what its caller sent."""
