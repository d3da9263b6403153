"""The Clinician Workspace: one login, one work surface, one shared record."""

__version__ = "0.1.0"
