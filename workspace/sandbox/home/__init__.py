"""The synthetic home: people, stays and histories, generated from definitions. The same every time."""
