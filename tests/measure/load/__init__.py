"""Load and soak tests: ``make load`` and ``make soak`` drive a local host with wrk."""
