"""FHIR R4 storage on SQLite. It stores; it knows nothing of users."""
