"""The configuration of a repository, and the settings of its editor."""
