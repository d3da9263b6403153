"""The synthetic nursing home, generated deterministically from definitions in resources/home."""
