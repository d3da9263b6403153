"""Ends before it has said a word."""

raise SystemExit(7)
