"""Start of the runtime: serves the one function that the environment names."""

from lambda_runtime.main import main

if __name__ == "__main__":
    main()
