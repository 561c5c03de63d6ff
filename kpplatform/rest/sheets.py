"""Texts in tables that people open with a spreadsheet."""

FORMULA = {"=", "+", "-", "@", "\t", "\r"}  # what a spreadsheet takes for a formula begins so


def plain(text: str) -> str:
    """Return a text of which no spreadsheet makes a formula."""
    return f"'{text}" if text[:1] in FORMULA else text
