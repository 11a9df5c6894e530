"""Manifests: reading YAML with places, judging it by its schema, merging defaults; and the schemas
themselves.
"""
