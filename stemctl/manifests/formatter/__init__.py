"""The formatter of manifests. It moves tokens and never rewrites a value."""
