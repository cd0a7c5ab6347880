"""Start of the runtime: serves the one function that the environment names."""

import gc

# Importing makes much and drops nothing: looking for garbage meanwhile is lost start time.
gc.disable()

from lambda_runtime.main import main  # noqa: E402 - see above

if __name__ == "__main__":
    main()
