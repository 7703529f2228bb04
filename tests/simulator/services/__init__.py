"""The services that a deployment talks to, each on loopback with real TLS."""
