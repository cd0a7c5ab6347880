"""`kn-lambda`, and `python -m kn_lambda`, which is the same."""

from __future__ import annotations

import signal
from typing import NoReturn


def run() -> NoReturn:
    """Run the command of this process's arguments."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # Ctrl-C during the imports would print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kn_lambda.main import main  # noqa: PLC0415 # see above

    signal.signal(signal.SIGINT, handler)
    main()


if __name__ == "__main__":
    run()
