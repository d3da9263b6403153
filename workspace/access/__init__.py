"""Who may see what, and why: pure rules, and the shape of the audit."""
