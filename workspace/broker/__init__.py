"""The panels' door: scope, patient and context of every request, checked before the record is asked."""
