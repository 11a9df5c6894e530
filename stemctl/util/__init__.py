"""What knows nothing of the domain: JSON, files, text and time."""
