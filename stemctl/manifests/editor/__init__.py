"""Edits of manifests: text is spliced at the places of values, and everything else stays."""
