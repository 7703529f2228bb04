"""Documents: what they link to is there."""

import re
from pathlib import Path

from tests.support.checkout import CHECKOUT
from tests.support.tracked_files import tracked_files

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return the anchors that Markdown viewers make of the headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


def broken_links(document: Path) -> list[str]:
    """Return the links within the checkout that lead to no file, or to no heading."""
    broken = []
    for link in _LINK.findall(_CODE.sub("", document.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def test_every_link_within_the_checkout_leads_somewhere() -> None:
    """Links to other sites are not followed."""
    documents = [name for name in tracked_files() if name.endswith(".md")]
    broken = {name: broken_links(CHECKOUT / name) for name in documents}

    assert len(documents) > 10
    assert {name: links for name, links in broken.items() if links} == {}
