"""Completion of words in a shell: what is being typed, what it may be, and how shells take it.

A shell asks while a person waits, so nothing here loads click, a command, or a library for HTTP.
"""
