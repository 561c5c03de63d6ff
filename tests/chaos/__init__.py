"""A site that sells while its parts are killed: `python -m tests.chaos`. In the end the books must be right."""
