"""Role layouts as documents: activities, the split/tab tree, pure functions from tree to tree."""
