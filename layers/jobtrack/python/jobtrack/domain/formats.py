"""Numbers as text for people, in the formats of the contract."""

from jobtrack import times
from jobtrack.times import Micros


def duration(seconds: float) -> str:
    """Return a text such as `15 minutes 33 seconds`; hours are the largest unit, parts of 0 are omitted."""
    left, parts = max(0, int(seconds)), []
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(_counted(count, unit))
    return " ".join(parts) or "0 seconds"


def mean_time(seconds: float) -> str:
    """Return a text such as `5.75 minutes`, with at most two decimals."""
    return _counted(number(seconds / 60), "minute")


def time_range(low: float, high: float) -> str:
    """Return a text such as `20-25 minutes`: in seconds below 2 minutes, in hours above 2 hours."""
    unit, size = ("second", 1) if high < 120 else ("minute", 60) if high <= 7200 else ("hour", 3600)
    first, last = round(low / size), round(high / size)
    return _counted(last, unit) if first == last else f"{first}-{last} {unit}s"


def milliseconds(count: float) -> str:
    """Return a text such as `12ms` or `12.5ms`."""
    return f"{number(count, 1)}ms"


def ordinal(count: int) -> str:
    """Return a text such as `85th`, `1st` or `12th`."""
    ending = "th" if count // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def additional_jobs(count: int) -> str:
    """Return a text such as `6 additional jobs`."""
    return _counted(count, "additional job")


def whole_seconds_between(start: Micros, end: Micros) -> int:
    """Return the whole seconds between two points in time, 0 if the end is earlier."""
    return max(0, end - start) // times.SECOND


def size(count: float) -> str:
    """Return bytes in binary units: `890 MB`, `45.7 MB`; from GB on always with one decimal: `4.0 GB`."""
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB", "PB"):
        if round(value, 1) < 1024:
            break
        value, unit = value / 1024, larger
    text = f"{value:.1f}"
    return f"{text if unit in ('GB', 'TB', 'PB') else text.removesuffix('.0')} {unit}"


def rate(per_second: float) -> str:
    """Return a text such as `1250 records/second`."""
    return f"{round(per_second)} records/second"


def number(value: float, decimals: int = 2) -> float | int:
    """Round to a number of decimals; whole numbers become integers, so that JSON shows 67 and not 67.0."""
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


def significant(value: float, digits: int = 3) -> float | int:
    """Round to a number of significant digits, for numbers that may be very small."""
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) else rounded


def _counted(count: float, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
