"""The embedded platform: identity provider, FHIR store, synthetic home. For vendors and the demo."""
