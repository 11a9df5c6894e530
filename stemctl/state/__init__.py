"""What stemctl remembers, where it is kept, and who may write it."""
