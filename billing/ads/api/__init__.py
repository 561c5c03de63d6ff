"""The doors of ads."""
