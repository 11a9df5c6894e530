"""Pure functions from files, state and readings to a plan."""
