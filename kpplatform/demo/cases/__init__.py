"""The three sized cases: a generated world of so many viewers, learned from, and a list for every one of them.

Needs no database. `case` says what each case is, `telling` what the model is told of its world, `listing` writes the
lists, `running` does it all and counts.
"""
