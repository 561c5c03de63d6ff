"""The doors to the numbers: the dictionary, each metric as JSON or CSV, and where visits are told."""
