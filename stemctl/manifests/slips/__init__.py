"""Common slips in YAML: what a person must have meant by text that no parser takes."""
