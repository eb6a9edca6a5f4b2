"""The maps, one mechanism each. None imports another."""
