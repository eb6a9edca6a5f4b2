"""Measurements of the limits that safemap sets itself. See README.md."""
