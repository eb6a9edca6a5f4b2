"""The version, in its one place."""

__version__ = "0.1.0"
"""That of the package, as `pip` shows it."""
