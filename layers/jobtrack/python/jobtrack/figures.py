"""Human-readable figures, as the contract words them."""

from jobtrack import times


def duration(seconds: float) -> str:
    """`15 minutes 33 seconds`, zero parts left out; days are told as hours."""
    left, parts = max(0, int(seconds)), []
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(_counted(count, unit))
    return " ".join(parts) or "0 seconds"


def between(start: int, end: int) -> int:
    """Whole seconds from one moment to another (µs), 0 where the clocks ran backwards."""
    return max(0, end - start) // times.SECOND


def size(count: float) -> str:
    """Bytes in binary units: `4.0 GB` and above with one decimal, smaller `45.7 MB`, `890 MB`."""
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB", "PB"):
        if round(value, 1) < 1024:
            break
        value, unit = value / 1024, larger
    text = f"{value:.1f}"
    return f"{text if unit in ('GB', 'TB', 'PB') else text.removesuffix('.0')} {unit}"


def rate(per_second: float) -> str:
    """`1250 records/second`."""
    return f"{round(per_second)} records/second"


def number(value: float, decimals: int = 2) -> float | int:
    """A JSON number without needless decimals: 67, not 67.0."""
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
