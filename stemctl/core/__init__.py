"""The values that stemctl works on, and their documents. Nothing here reads files or a network."""
