"""Tables of Markdown documents, as lists of cells."""

from tests.support.checkout import CHECKOUT


def read_table(document: str, first_heading: str) -> list[list[str]]:
    """Return the rows of the table of a document whose first column has this heading.

    The row of headings is not among them. Raises ``ValueError`` without such a table.
    """
    lines = (CHECKOUT / document).read_text("utf-8").splitlines()
    starts = [
        n for n, line in enumerate(lines) if line.startswith(f"| {first_heading} |")
    ]
    if len(starts) != 1:
        raise ValueError(f"{document} has {len(starts)} tables of {first_heading}")
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def code(cell: str) -> list[str]:
    """Return the texts of a cell that are marked as code."""
    return cell.split("`")[1::2]


def first_column(document: str, heading: str) -> list[str]:
    """Return what the first column of a table marks as code, row by row."""
    return [text for row in read_table(document, heading) for text in code(row[0])]
