"""The table: each way to end, and the expected result for each way to track the job."""

from dataclasses import dataclass, field
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals

COLUMNS = ("track", "job", "-m", "run")


@dataclass(frozen=True)
class End:
    """The expected status of the job, exit status of the process, and text in the job's error or log."""

    status: str
    code: int | None = 0
    error: str = ""
    line: str = ""


@dataclass(frozen=True)
class Way:
    """One way to end: the program's body, the signal sent to it, and the behaviour of the service meanwhile."""

    name: str
    end: End
    body: str = ""
    signal: Signals | None = None
    delay: float = 0
    failing: range = range(0)
    failure: int | None = None
    ends: dict[str, End] = field(default_factory=dict)
    """Different results for some ways to track the job."""

    @property
    def program(self) -> str:
        """The name of the program's body."""
        return self.body or self.name

    def expected(self, column: str) -> End:
        """Return the expected result in a column of the table."""
        return self.ends.get(column, self.end)


def _signalled(number: Signals, status: str = "Cancelled") -> Way:
    reason = number.name if status == "Cancelled" else ""
    return Way(
        number.name,
        # Python raises KeyboardInterrupt for SIGINT.
        End(status, -number, line="KeyboardInterrupt" if number is SIGINT else reason),
        body="signal",
        signal=number,
        ends={"run": End(status, 128 + number if status == "Cancelled" else -number, line=reason)},
    )


WAYS = (
    Way("return", End("Completed", line="row 4")),
    Way(
        "exception",
        End("Failed", 1, error="boom"),
        ends={"run": End("Failed", 1, error="ValueError: boom")},
    ),
    Way("sys.exit(3)", End("Failed", 3, error="3")),
    _signalled(SIGINT),
    _signalled(SIGTERM),
    _signalled(SIGHUP),
    _signalled(SIGKILL, "Running, stalled"),
    # The program is killed after the job has ended: the end must not wait for log lines.
    Way("backlog", End("Failed", None, error="boom"), signal=SIGKILL, delay=1),
    Way("401", End("Completed", line="row 4"), body="refused", failing=range(2, 5), failure=401),
    Way("service away", End("Completed", line="row 4"), body="refused", failing=range(2, 5)),
    Way(
        "thread still running",
        End("Completed"),
        ends={"-m": End("Completed", line="late"), "run": End("Completed", line="late")},
    ),
    Way("fork", End("Completed", line="child")),
    Way(
        "generator left early",
        End("Completed", line="row 2"),
        ends={"track": End("Cancelled", line="row 2")},
    ),
    Way(
        "interpreter exit",
        End("Completed", line="at exit"),
        ends={"track": End("Cancelled", line="row 0"), "job": End("Cancelled", line="row 0")},
    ),
)
