"""Scripted faults of the sandbox: a file says which requests are struck, and how."""
