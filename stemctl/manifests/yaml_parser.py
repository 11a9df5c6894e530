"""The parser of manifests: the C parser of PyYAML, if it was built with it."""

from __future__ import annotations

from typing import Any

import yaml


class PythonParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """For a PyYAML without the C library: the same events, about twenty times slower."""

    def __init__(self, stream: str) -> None:
        yaml.reader.Reader.__init__(self, stream)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


# The stubs do not know CParser.
Parser: Any = vars(yaml.cyaml)["CParser"] if yaml.__with_libyaml__ else PythonParser
