"""FHIR R4 helpers: search grammar, values, references, identifiers, code aliases, outcomes."""
