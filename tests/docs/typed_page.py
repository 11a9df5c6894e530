"""Pages that are typed: what a page says is in a file is written there, its commands are run in one
shell, and what it shows must be what comes out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.docs.test_guide import Shell, masked, ports, steps

_FILE = re.compile(r"^```yaml\n(# (\S+\.yaml)\n.*?)^```$", re.DOTALL | re.MULTILINE)
_UPDATE = os.environ.get("STEMCTL_UPDATE")


def type_page(shell: Shell, page: Path) -> int:
    """Type a page, and return the number of its commands.

    A block of YAML that begins with the name of a file in a comment is that file. With
    STEMCTL_UPDATE=1, the page is rewritten to show what came out; exit codes are not.
    """
    text = page.read_text(encoding="utf-8")
    shown_port, port = ports(text)
    typed = _FILE.sub(_writing, text)
    count = place = 0
    for command, code, expected in steps(typed):
        got, said = shell.run(command.replace(shown_port, port))
        said = said.replace(port, shown_port)
        assert got == code, f"{command}\n{said}"
        shown = f"\n$ {command}" + (f"  # exit code {code}" if code else "") + f"\n{expected}"
        place = max(place, text.find(shown, place))
        if masked(said) != masked(expected):
            assert _UPDATE, f"{command}\n{said}"
            end = place + len(shown)
            text = text[: end - len(expected)] + said + text[end:]
            page.write_text(text, encoding="utf-8")
        count += 1
    return count


def _writing(block: re.Match[str]) -> str:
    """The command that writes the file of a block."""
    folder = Path(block[2]).parent
    return f"```sh\nmkdir -p '{folder}' && cat > '{block[2]}' <<'END'\n{block[1]}END\n```"
