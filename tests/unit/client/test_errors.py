"""Why a command failed, from the end of its stderr: the exception, not the lines around it."""

import pytest

from jobtrack_client._run_command.errors import LINE_CHARACTERS, LINES, Cause, cause, exception

PYTHON = """
    Traceback (most recent call last):
      File "x.py", line 2, in <module>
        try: {}["k"]
             ~~^^^^^
    KeyError: 'k'

    The above exception was the direct cause of the following exception:

    Traceback (most recent call last):
      File "x.py", line 3, in <module>
        raise db.Broken("row 7") from error
        ^^^^^^^^^^^^^^^^^^^^^^^^^
    db.Broken: row 7
    [SQL: INSERT INTO rows]
    a note
"""
GROUP = """
      + Exception Group Traceback (most recent call last):
      |   File "g.py", line 1, in <module>
      |     raise ExceptionGroup("many", [ValueError("row 1"), TypeError("row 2")])
      | ExceptionGroup: many (2 sub-exceptions)
      +-+---------------- 1 ----------------
        | Traceback (most recent call last):
        |   File "g.py", line 2, in load
        | ValueError: row 1
        +---------------- 2 ----------------
        | TypeError: row 2
        +------------------------------------
"""
SYNTAX = """
      File "y.py", line 1
        def (:
            ^
    SyntaxError: invalid syntax
"""
NODE = """
    /x.js:1
    function f(){ throw new TypeError("bad row"); }
                  ^

    TypeError: bad row
        at f (/x.js:1:21)
        at node:internal/main/run_main_module:28:49

    Node.js v20.20.2
"""
NODE_MODULE = """
    node:internal/modules/cjs/loader:1210
      throw err;
      ^

    Error: Cannot find module './nope'
    Require stack:
    - /b.js
        at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15) {
      code: 'MODULE_NOT_FOUND',
      requireStack: [ '/b.js' ]
    }

    Node.js v20.20.2
"""
NODE_TEXT = """
    /c.js:1
    throw "text"
    ^
    text
    (Use `node --trace-uncaught ...` to show where the exception was thrown)

    Node.js v20.20.2
"""
DENO = """
    error: Uncaught (in promise) Error: bad row
        at file:///x.ts:1:7
"""
JAVA = """
    Exception in thread "main" java.lang.IllegalStateException: no rows
    \tat M.main(M.java:1)
    Caused by: java.io.IOException: disk full
    \tat M.load(M.java:1)
    \t... 1 more
"""
DOTNET = """
    Unhandled exception. System.InvalidOperationException: no rows
       at Program.Main() in /x/Program.cs:line 3
"""
GO = """
    panic: runtime error: index out of range [5] with length 3

    goroutine 1 [running]:
    main.main()
    \t/x/main.go:6 +0x1d
    exit status 2
"""
RUST = """
    thread 'main' (7670) panicked at src/main.rs:2:5:
    called `Result::unwrap()` on an `Err` value: "bad row"
    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
RUST_OLD = """
    thread 'main' panicked at 'bad row', src/main.rs:2:5
    stack backtrace:
       0: std::panicking::begin_panic
                 at /rustc/1/library/std/src/panicking.rs:689:5
    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
RUBY = """
    x.rb:3:in `load': bad row (Rows::BadRow)
    \tfrom x.rb:7:in `<main>'
"""
PHP = """
    PHP Fatal error:  Uncaught RuntimeException: bad row in /x.php:3
    Stack trace:
    #0 {main}
      thrown in /x.php on line 3
"""
PERL = """
    Can't locate Nope.pm in @INC at q.pl line 1.
    BEGIN failed--compilation aborted at q.pl line 1.
"""
CPP = """
    terminate called after throwing an instance of 'std::runtime_error'
      what():  bad row
"""
BASH = """
    + load rows
    s.sh: line 2: load: command not found
"""
MAKE = """
    cc: fatal: no input files
    make: *** [Makefile:3: all] Error 1
"""


def lines(text: str) -> list[str]:
    return [line.removeprefix("    ").rstrip() for line in text.split("\n")]


@pytest.mark.parametrize(
    ("written", "type_", "message"),
    [
        (PYTHON, "db.Broken", "row 7"),
        (GROUP, "ExceptionGroup", "many (2 sub-exceptions) (the first: ValueError: row 1)"),
        (SYNTAX, "SyntaxError", "invalid syntax"),
        ("Traceback (most recent call last):\n  File 'x'\nAssertionError", "AssertionError", ""),
        (NODE, "TypeError", "bad row"),
        (NODE_MODULE, "Error", "Cannot find module './nope'"),
        (NODE_TEXT, None, "text"),
        (DENO, "Error", "bad row"),
        (JAVA, "java.lang.IllegalStateException", "no rows (caused by java.io.IOException: disk full)"),
        (DOTNET, "System.InvalidOperationException", "no rows"),
        (GO, "panic", "runtime error: index out of range [5] with length 3"),
        (RUST, "panicked", 'called `Result::unwrap()` on an `Err` value: "bad row"'),
        (RUST_OLD, "panicked", "bad row"),
        (RUBY, "Rows::BadRow", "bad row"),
        (PHP, "RuntimeException", "bad row"),
        (PERL, None, "Can't locate Nope.pm in @INC at q.pl line 1."),
        (CPP, "std::runtime_error", "bad row"),
        (BASH, None, "s.sh: line 2: load: command not found"),
        (MAKE, None, "cc: fatal: no input files"),
        ("out of disk", None, "out of disk"),
        ("    ^^^^", None, "^^^^"),
    ],
)
def test_the_exception_is_found(written: str, type_: str | None, message: str) -> None:
    assert cause(lines(written)) == Cause(message, type_)


def test_an_exception_that_was_survived_is_not_the_cause() -> None:
    went_on = [*lines(PYTHON), *(f"row {number} is fine" for number in range(20)), "out of disk"]
    assert cause(went_on) == Cause("out of disk")


def test_the_last_of_several_exceptions_is_the_cause() -> None:
    assert cause([*lines(JAVA), *lines(PYTHON)]) == Cause("row 7", "db.Broken")
    assert cause([*lines(PYTHON), *lines(NODE)]) == Cause("bad row", "TypeError")


def test_without_an_exception_there_is_none() -> None:
    assert exception(["fine", "done: all 3"]) is None
    assert cause([]) is None
    assert cause(["", " "]) is None


@pytest.mark.parametrize(
    "line", ["x: y", " at x", "\t", "Traceback (most recent call last):", "  | a: b", "panic: x", "("]
)
def test_however_much_is_written_it_is_looked_through_at_once(line: str) -> None:
    """A pattern with too much backtracking would never end here."""
    assert cause([line.ljust(LINE_CHARACTERS, line[-1])] * LINES) is not None or not line.strip()
