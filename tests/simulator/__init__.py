"""The outside world of the webhook, simulated on this machine over real TLS.

The calling platform (``platform``), its identity provider (``openid_provider``),
Microsoft Entra with managed identity (``entra``) and Microsoft Graph (``graph_api``);
``world`` puts them together with regional deployments; ``environment`` runs all
regions of an environment file, with DNS; ``drill`` lets things go wrong there,
``page`` shows it live, and ``explain`` tells what the webhook would do with a
notification, and why. A library for tests and a command:
``python -m tests.simulator demo | serve | call | token | drill | explain | world``.
"""
