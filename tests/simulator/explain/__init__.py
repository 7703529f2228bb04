"""``explain``: what the webhook would do with a notification, and why.

``recording`` reads a recorded notification, ``environment`` the description of an
environment; ``explanation`` runs the product's own rules on both and tells, rule by
rule, what they saw (``region_choice`` for region affinity); ``text`` shows it in words
and ``command`` is ``python -m tests.simulator explain``.

The verdict is the outcome of ``shared.core.decisions.decide`` itself: it cannot
disagree with the webhook.
"""
