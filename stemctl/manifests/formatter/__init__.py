"""The formatter of manifests: it moves tokens, and writes no value anew."""
