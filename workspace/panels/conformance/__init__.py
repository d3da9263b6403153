"""The conformance kit: scaffold, run, check, pack, sign and install panel packages. The shop runs the same checks."""
