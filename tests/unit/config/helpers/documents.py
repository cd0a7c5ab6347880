"""Reading our Markdown documents: their tables, and their prose without its line breaks."""

from __future__ import annotations

import re
from itertools import product

from tests.helpers.dev_overlay import REPOSITORY

# What begins a block of its own, so that it never continues the line above.
_BEGINS_A_BLOCK = re.compile(r"\s*$|\||#|<|\s*(?:[-*]|\d+\.) |```")


class Document:
    """One file of docs/, asked for its tables by what they begin with."""

    def __init__(self, name):
        self.text = unwrapped((REPOSITORY / "docs" / name).read_text())

    def rows(self, *header):
        """Cells of every row below the one table whose header begins like this."""
        (table,) = [table for table in self._tables() if tuple(table[0][: len(header)]) == header]
        return table[2:]

    def header(self, first):
        """Cells of the header of the one table that begins with this cell."""
        (table,) = [table for table in self._tables() if table[0][0] == first]
        return table[0]

    def rows_from(self, first):
        """Cells of every row of the one table whose first row begins with this cell."""
        (table,) = [table for table in self._tables() if table[2][0] == first]
        return table[2:]

    def _tables(self):
        for lines in re.findall(r"(?:^\|.*\|\n)+", self.text, re.MULTILINE):
            yield [cells(line) for line in lines.splitlines()]


def unwrapped(text):
    """Every paragraph and every item of a list on one line; tables and code as they are."""
    lines, in_code, in_paragraph = [], False, False
    for line in text.splitlines():
        fence = line.startswith("```")
        begins = in_code or fence or _BEGINS_A_BLOCK.match(line)
        if in_paragraph and not begins:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        in_code ^= fence
        in_paragraph = not in_code and not re.match(r"\s*$|\||#|<|```", line)
    return "\n".join([*lines, ""])


def prose(text):
    """(number, line) of what is neither code nor a row of a table."""
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        fence = line.lstrip().startswith("```")
        if not in_code and not fence and not line.startswith(("|", "    ")):
            yield number, line
        in_code ^= fence


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def codes(cell):
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def numbers(cell):
    found = re.findall(r"(?<!\S)-?\d[\d,]*|\d[\d,]*", cell)
    return {int(number.replace(",", "")) for number in found}


def by_code(rows, column=1):
    """Each name in the first cell, with another cell of its row."""
    return dict(pair for row in rows for pair in product(codes(row[0]), [row[column]]))
