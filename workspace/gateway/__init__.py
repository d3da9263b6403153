"""The service before any FHIR server: token, access, audit, change feed, repeated transactions."""
