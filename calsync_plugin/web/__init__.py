"""The bridge's web addresses: webhook receivers, the login's callback, health."""
