"""How ads compete: pure numbers, no Django, no database, no clock.

Shapes: N bids, S slots. Money is in micros: millionths of a minor unit, whole numbers.
"""
