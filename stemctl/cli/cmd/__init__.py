"""The commands, one module each. A module is loaded when its command is called."""
