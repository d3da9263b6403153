"""Host of vendor panels: manifest, process, protocol, supervision. Never touches Qt or the platform."""
