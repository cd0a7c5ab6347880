"""`kn-lambda run`: one function in the foreground, without a platform."""
