"""Values to text: each module takes values and returns strings, and does nothing else."""
