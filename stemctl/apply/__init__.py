"""Carrying out a plan: which change is next, its request, and what its answer means."""
