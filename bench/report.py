"""The lines of the bench: each measured figure and its limit."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

DOLLARS_PER_MILLION_WRITE_UNITS = 0.625
DOLLARS_PER_MILLION_READ_UNITS = 0.125
"""List prices in US dollars of DynamoDB on demand, standard class, us-east-1."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measured figure and its limit."""

    operation: str
    measure: str
    value: float
    limit: float

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.value <= self.limit

    @property
    def dollars(self) -> str:
        """Return the price of a million operations, if units were measured."""
        price = {
            "write units": DOLLARS_PER_MILLION_WRITE_UNITS,
            "read units": DOLLARS_PER_MILLION_READ_UNITS,
        }.get(self.measure)
        return "" if price is None else f"{self.value * price:.2f}"


@dataclass(slots=True)
class Report:
    """The lines of a run."""

    lines: list[Line] = field(default_factory=list)

    def add(self, operation: str, measure: str, value: float, limit: float) -> None:
        """Add a figure."""
        self.lines.append(Line(operation, measure, value, limit))

    def print(self) -> bool:
        """Print the table, and return whether every figure is within its limit."""
        table = Table("operation", "measure", "measured", "at most", "$ a million", "")
        for line in self.lines:
            figures = f"{line.value:g}", f"{line.limit:g}"
            table.add_row(line.operation, line.measure, *figures, line.dollars, "" if line.is_kept else "EXCEEDED")
        Console(width=120).print(table)
        return all(line.is_kept for line in self.lines)
