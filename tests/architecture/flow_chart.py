"""The flow chart of README.md, drawn from the rules of ``shared.core.rules``.

``python -m tests.architecture.flow_chart`` writes it anew between its marks.
"""

from collections.abc import Iterator

from shared.core.rules import RULES, Rule
from tests.support.checkout import CHECKOUT

DOCUMENT = CHECKOUT / "README.md"
BEGIN, END = "<!-- flow chart: begin -->\n", "<!-- flow chart: end -->\n"


def draw() -> str:
    """Return the chart in Mermaid: one box a rule, and one for its replies."""
    lines = ["flowchart TD", f'  post(["POST"]) --> rule{RULES[0].number}']
    for rule, following in zip(RULES, [*RULES[1:], None], strict=True):
        lines += _draw_rule(rule, following)
    return "\n".join(["```mermaid", *lines, "```", ""])


def place(document: str) -> str:
    """Return the document with the chart between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{draw()}{END}{after}"


def _draw_rule(rule: Rule, following: Rule | None) -> Iterator[str]:
    box = f"rule{rule.number}"
    replies = "<br>".join(
        f"<b>{status}</b> {when}" for status, when in rule.ends.items()
    )
    yield f'  {box}["{rule.number} {rule.name}"] --> reply{rule.number}("{replies}")'
    if following is not None:
        yield f"  {box} -- otherwise --> rule{following.number}"


if __name__ == "__main__":
    DOCUMENT.write_text(place(DOCUMENT.read_text("utf-8")), "utf-8")
