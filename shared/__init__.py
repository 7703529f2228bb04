"""The front door for Microsoft Teams calling bots.

Two rooms, and one rule between them:

* ``shared.core`` holds the rules: what a token must say, which protocol a
  notification speaks, which region a call belongs to, what Graph's answer means.
  Pure: data in, data out, the world only through ``shared.core.ports``.
* ``shared.edge`` touches the world: signing keys, credentials, Graph, logs.

``shared.settings`` reads the app settings, ``shared.service`` puts the two rooms
together once per process. Imports point downwards only: service, edge, core.
Nothing here imports ``azure.functions``; that is ``function_app.py``'s job.
"""
