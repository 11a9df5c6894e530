"""From live records to what new files should say, and in which file."""
