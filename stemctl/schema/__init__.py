"""What follows from the field tables."""
