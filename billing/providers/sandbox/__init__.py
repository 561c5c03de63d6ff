"""The sandbox: a payment provider that ships with the product, so that a fresh installation can sell offline.

`driver` speaks to it over HTTP as to any other; `bank`, `courier`, `pages` and `server` are the provider itself.
"""
