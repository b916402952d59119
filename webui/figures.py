"""Figures as people read them: one format for durations and one for shares."""

# Shown in place of an unknown figure.
NOTHING = "\N{EN DASH}"
_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))


def duration(milliseconds: float | None) -> str:
    """Three digits at most: `0.4 ms`, `12 ms`, `1.5 s`, `3 min 20 s`, `2 d 5 h`."""
    if milliseconds is None:
        return NOTHING
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    for size, unit, part, small in _UNITS:
        if seconds >= size:
            rest = int(seconds % size // part)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {small}" if rest else "")
    raise AssertionError(seconds)


def share(value: float | None) -> str:
    """A share of one as `100 %` or `99.98 %`. Less than all is never rounded up to it."""
    if value is None:
        return NOTHING
    hundredths = int(value * 10_000 + 1e-9)
    return "100 %" if hundredths >= 10_000 else f"{hundredths / 100:.2f} %"
