"""The git backend: state, claims and the story of all runs on a branch of their own in a git remote."""
