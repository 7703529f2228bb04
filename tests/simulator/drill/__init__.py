"""The drill: what goes wrong with regions, DNS, keys, Graph and Entra, on purpose.

Each scenario (``scenarios``) plays in a simulated environment of its own and states
what it expects; ``runner`` runs them, those that wait for detection side by side,
``figures`` measures, and ``text_report``, ``json_report`` and ``html_report`` tell
what happened.
A command: ``python -m tests.simulator drill [NAME …] [--json FILE] [--html FILE]``.
"""
