"""The server: requests, tokens, readings, and carrying a plan out."""
