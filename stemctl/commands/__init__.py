"""The use cases, one file each: values and connections in, values out; nothing is printed here."""
