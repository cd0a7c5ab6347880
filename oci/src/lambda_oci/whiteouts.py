"""Names by which a layer says that something below it is gone; no file can have one in an image."""

WHITEOUT = ".wh."
IS_WHITEOUT = f"has a name that begins with {WHITEOUT}, which in an image removes files; rename it"
