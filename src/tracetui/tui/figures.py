"""Numbers and times as people read them, at most as wide as their column. Pure. Unknown is empty, never 0."""

from __future__ import annotations

from datetime import datetime

SECOND_US = 1_000_000
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def duration(us: int | None) -> str:
    """`14.2s`, `4m12s`, `1h02m`, `3d04h`: at most 6 cells up to 99 days."""
    if us is None:
        return ""
    us = max(us, 0)
    tenths = round(us / 100_000)
    if tenths < 600:
        return f"{tenths / 10:.1f}s"
    seconds = round(us / SECOND_US)
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S}m{seconds % MINUTE_S:02d}s"
    if seconds < DAY_S:
        return f"{seconds // HOUR_S}h{seconds % HOUR_S // MINUTE_S:02d}m"
    days = seconds // DAY_S
    return f"{days}d{seconds % DAY_S // HOUR_S:02d}h" if days < 100 else f"{days}d"


def age(us: int) -> str:
    """How long something has been running, in whole units: `41s`, `4m`, `2h`, `3d`."""
    seconds = max(us, 0) // SECOND_US
    if seconds < MINUTE_S:
        return f"{seconds}s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S}m"
    return f"{seconds // HOUR_S}h" if seconds < DAY_S else f"{seconds // DAY_S}d"


def amount(number: int | None) -> str:
    """`847`, `27.8k`, `388k`, `1.2M`, `12M`, `1.2G`: at most 5 cells."""
    if number is None:
        return ""
    if abs(number) < 1000:
        return str(number)
    for unit, size in (("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12)):
        if round(abs(number) / size) < 1000:
            short = number / size
            return f"{short:.1f}{unit}" if abs(short) < 99.95 else f"{short:.0f}{unit}"
    return f"{number:.0e}"


def money(dollars: float | None) -> str:
    """`$0.041`, `$1.74`, `$212`: at most 7 cells. What is less than a hundredth of a cent says so."""
    if dollars is None:
        return ""
    if dollars == 0:
        return "$0"
    if dollars < 0.0001:
        return "<$.0001"
    if dollars < 0.001:
        return f"${dollars:.4f}"
    if dollars < 1:
        return f"${dollars:.3f}"
    if dollars < 999.995:
        return f"${dollars:.2f}"
    return "$" + amount(round(dollars))


def clock(us: int | None, now_us: int) -> str:
    """When, in local time, 5 cells: `12:06` today, `11-23` this year, else the year."""
    if us is None:
        return ""
    try:
        then = datetime.fromtimestamp(us / SECOND_US)
    except (OverflowError, OSError, ValueError):
        return ""
    now = datetime.fromtimestamp(now_us / SECOND_US)
    if then.date() == now.date():
        return then.strftime("%H:%M")
    return then.strftime("%m-%d") if then.year == now.year else f"{then.year}"


def number(value: float) -> str:
    """A score without a leading zero: `.2`, `-.35`, `1`, `4.5`."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.2f}" if abs(value) >= 0.01 else f"{value:.1g}"
    if "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def counted(n: int, noun: str, plural: str = "") -> str:
    """`1 trace`, `1,204 traces`."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
