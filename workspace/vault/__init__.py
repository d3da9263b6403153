"""Encrypted local store with schema migrations. Knows tables, never what they mean."""
