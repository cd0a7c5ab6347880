"""Names that mark files of lower layers as removed; no file of an image can have one."""

WHITEOUT = ".wh."
IS_WHITEOUT = f"has a name that begins with {WHITEOUT}, which in an image removes files; rename it"
