"""Locks that know nothing of maps: re-entrant, deadlock-detecting, survivors of forks and interrupts."""
