"""Functions whose process ends before it listens: each kind of mistake, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class SmallFunction(NamedTuple):
    """The files of one, and what a person has to read of it, or what it answers."""

    language: str
    files: dict[str, str]
    said: str

    def write(self, folder: Path) -> Path:
        """Put its files there, in the place of all others."""
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in self.files.items():
            (folder / name).write_text(text)
        return folder


def _python(source: str, said: str, **modules: str) -> SmallFunction:
    others = {f"{name}.py": text for name, text in modules.items()}
    return SmallFunction("python", {"main.py": source, **others}, said)


def _node(source: str, said: str, **modules: str) -> SmallFunction:
    others = {f"{name}.js": text for name, text in modules.items()}
    return SmallFunction("nodejs", {"index.js": source, **others}, said)


WORKING_FUNCTIONS = {
    "python": _python("def handler(event):\n    return 'hello'\n", '"hello"'),
    "nodejs": _node("exports.handler = () => 'hello';\n", '"hello"'),
}
BROKEN_FUNCTIONS = {
    "python syntax": _python("def handler(event)\n", "SyntaxError"),
    "python indentation": _python("def handler(event):\nreturn 1\n", "IndentationError"),
    "python no module": _python("import no_such_module\n", "No module named 'no_such_module'"),
    "python no name": _python("from json import nothing\n", "cannot import name 'nothing'"),
    "python raise": _python("raise RuntimeError('at import')\n", "at import"),
    "python raise in a module": _python("import other\n", "ZeroDivisionError", other="1 / 0\n"),
    "python no handler": _python("def another(event): ...\n", "HandlerNotFound"),
    "python no function": _python("handler = 42\n", "HandlerNotCallable"),
    "python two arguments": _python(
        "def handler(event, context): ...\n", "InvalidHandler: main.py: handler takes 2 arguments"
    ),
    "python raise of many lines": _python(
        "raise RuntimeError('one\\ntwo')\n", "SourceNotImportable: main: RuntimeError: one two"
    ),
    "python threads that go on": _python(
        "import threading, time\nthreading.Thread(target=time.sleep, args=[600]).start()\n1 / 0\n",
        "SourceNotImportable: main: ZeroDivisionError",
    ),
    "python no source": SmallFunction("python", {"other.py": "x = 1\n"}, "there is no main.py"),
    "python exit with words": _python("import sys; sys.exit('bye bye')\n", "bye bye"),
    "python exit with 0": _python("import os; os._exit(0)\n", "exited with status 0"),
    "python exit with 3": _python("import os; os._exit(3)\n", "exited with status 3"),
    "python abort": _python("import os; os.abort()\n", "ended by signal 6"),
    "python killed": _python("import os; os.kill(os.getpid(), 9)\n", "ended by signal 9"),
    "node syntax": _node("exports.handler = (event => 1;\n", "(event => 1;"),
    "node no module": _node("require('no-such-package');\n", "no-such-package"),
    "node throw": _node("throw new Error('at load');\n", "at load"),
    "node throw in a module": _node(
        "require('./other.js');\n", "Error: deep inside", other="throw new Error('deep inside');\n"
    ),
    "node rejects": _node(
        "Promise.reject(new Error('late boom'));\nexports.handler = () => 1;\n",
        "SourceNotImportable: Error: late boom",
    ),
    "node no handler": _node("exports.another = () => 1;\n", "HandlerNotFound"),
    "node no function": _node("exports.handler = 42;\n", "HandlerNotCallable"),
    "node no source": SmallFunction("nodejs", {"other.js": "1;\n"}, "there is no index.js"),
    "node exit with 0": _node("process.exit(0);\n", "exited with status 0"),
    "node exit with 7": _node("process.exit(7);\n", "exited with status 7"),
    "node abort": _node("process.abort();\n", "ended by signal 6"),
    "node killed": _node("process.kill(process.pid, 'SIGKILL');\n", "ended by signal 9"),
}
