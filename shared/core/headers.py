"""Header values that others chose."""

MAX_HEADER_LENGTH = 256


def is_safe_header_value(value: str, *, longest: int = MAX_HEADER_LENGTH) -> bool:
    """Tell whether a value may be sent on: printable ASCII, bounded, not padded."""
    return (
        0 < len(value) <= longest
        and value.isascii()
        and value.isprintable()
        and value.strip() == value
    )
