"""The sandbox: the API, emulated from the field tables over SQLite.

It runs in this process, or is served to other clients.
"""
