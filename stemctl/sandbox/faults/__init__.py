"""Scripted faults of the sandbox: a file says which requests fail, and how."""
