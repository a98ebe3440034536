"""A browser in words a person knows, of what it says of itself: a hint for a list of devices, nothing to decide by."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "Unknown browser"
# In this order: most claim to be others too.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def in_words(agent: str) -> str:
    """``Firefox on Linux``, of a User-Agent header."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    if browser is None:
        return system or UNKNOWN
    return f"{browser} on {system}" if system else browser
