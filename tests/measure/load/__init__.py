"""Load and soak: ``make load`` and ``make soak`` drive one local host with wrk."""
