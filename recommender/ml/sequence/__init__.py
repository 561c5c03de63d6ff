"""A viewer is the sequence of what they wanted: one trainer and several encoders behind one interface.

`times`, `histories` and `served` know no torch, so that web processes can hold a trained model; the rest trains it.
Nothing is imported here, so that nobody loads what they do not need.
"""
