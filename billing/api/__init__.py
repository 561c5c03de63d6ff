"""The doors of money."""
