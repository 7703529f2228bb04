"""Header values that others chose."""

_MAX_LENGTH = 256


def is_safe_header_value(value: str) -> bool:
    """Tell whether a value may be sent on: printable ASCII, bounded, not padded."""
    return (
        0 < len(value) <= _MAX_LENGTH
        and value.isascii()
        and value.isprintable()
        and value.strip() == value
    )
