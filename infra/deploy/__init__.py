"""The deployment of an environment: ``infra/deploy.sh`` and ``infra/package.sh``.

``actions`` has the actions of a deployment as data, ``runner`` prints and does them.
The other modules say which ones there are, and in what order.
"""
