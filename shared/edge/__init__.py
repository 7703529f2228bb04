"""What touches the world: HTTPS, credentials, signing keys, other regions, the log.

Modules come in pairs, one asks and one keeps: ``openid`` and ``signing_keys``,
``health_check`` and ``peers``, ``entra`` and ``graph_tokens``, ``graph`` and
``answering``, ``blob_store`` and ``call_memory``. All that ask use ``outbound``, which
gets its sessions from ``tls``.
"""
