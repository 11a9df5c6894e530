"""The parser that manifests are read with: PyYAML's C one where it has it."""

from __future__ import annotations

from typing import Any

import yaml


class PythonParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """For a PyYAML that was built without the C library; the same events, some twenty times slower."""

    def __init__(self, stream: str) -> None:
        yaml.reader.Reader.__init__(self, stream)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


Parser: Any = (
    vars(yaml.cyaml)["CParser"] if yaml.__with_libyaml__ else PythonParser
)  # unknown to its stubs
