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


def mean_time(seconds: float) -> str:
    """`5.75 minutes`, two decimals, trailing zeros dropped."""
    return _counted(number(seconds / 60), "minute")


def time_range(low: float, high: float) -> str:
    """`20-25 minutes`, from two numbers of seconds: told in seconds below 2 minutes, in hours above 2 hours."""
    unit, size = ("second", 1) if high < 120 else ("minute", 60) if high <= 7200 else ("hour", 3600)
    first, last = round(low / size), round(high / size)
    return _counted(last, unit) if first == last else f"{first}-{last} {unit}s"


def milliseconds(count: float) -> str:
    """`12ms`, with one decimal where there is one."""
    return f"{number(count, 1)}ms"


def ordinal(count: int) -> str:
    """`85th`, `1st`, `12th`."""
    ending = "th" if count // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def additional_jobs(count: int) -> str:
    """`6 additional jobs`."""
    return _counted(count, "additional job")


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


def significant(value: float, digits: int = 3) -> float | int:
    """A JSON number of few digits, for what may be very small."""
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) else rounded


def _counted(count: float, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
