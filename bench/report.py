"""The lines of the bench: what was measured, beside what it may be."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

DOLLARS_PER_MILLION_WRITE_UNITS = 0.625
DOLLARS_PER_MILLION_READ_UNITS = 0.125
"""DynamoDB on demand, standard class, us-east-1, public list price."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measured figure and its limit."""

    operation: str
    measure: str
    found: float
    limit: float

    @property
    def kept(self) -> bool:
        """Whether it is within its limit."""
        return self.found <= self.limit

    @property
    def dollars(self) -> str:
        """What a million of the operation cost, where units were measured."""
        price = {
            "write units": DOLLARS_PER_MILLION_WRITE_UNITS,
            "read units": DOLLARS_PER_MILLION_READ_UNITS,
        }.get(self.measure)
        return "" if price is None else f"{self.found * price:.2f}"


@dataclass(slots=True)
class Report:
    """All lines of a run."""

    lines: list[Line] = field(default_factory=list)

    def add(self, operation: str, measure: str, found: float, limit: float) -> None:
        """One more figure."""
        self.lines.append(Line(operation, measure, found, limit))

    def print(self) -> bool:
        """Print the table; answers whether every limit is kept."""
        table = Table("operation", "measure", "found", "at most", "$ a million", "")
        for line in self.lines:
            figures = f"{line.found:g}", f"{line.limit:g}"
            table.add_row(line.operation, line.measure, *figures, line.dollars, "" if line.kept else "EXCEEDED")
        Console(width=120).print(table)
        return all(line.kept for line in self.lines)
