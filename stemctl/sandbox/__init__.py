"""The API in small: emulated from the field tables over SQLite, in this process or served to other
clients.
"""
