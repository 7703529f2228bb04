"""The drill: regions, DNS, keys, Graph and Entra fail on purpose.

Each scenario (``scenarios``) runs in a simulated environment of its own and states what
it expects. ``runner`` runs them, several at a time; ``figures`` measures;
``text_report``, ``json_report`` and ``html_report`` say what happened.
The command: ``python -m tests.simulator drill [NAME …] [--json FILE] [--html FILE]``.
"""
