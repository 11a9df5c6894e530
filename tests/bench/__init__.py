"""How fast stemctl is beside what people would use instead: `python -m tests.bench`."""
