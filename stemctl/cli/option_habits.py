"""Options and arguments that people type who know other programs, as data.

The words before an option are the command that it belongs to; without any, all commands.
"""

from __future__ import annotations

from stemctl.cli.habits import Advice

SAME = {
    "-?": "--help",
    "-V": "--version",
    "-s": "--server",
    "--host": "--server",
    "--url": "--server",
    "--context": "--server",
    "--profile": "--server",
    "--workspace": "--server",
    "--chdir": "-C",
    "--cwd": "-C",
    "--directory": "-C",
    "--dir": "-C",
    "--root": "-C",
    "--no-colour": "--no-color",
    "--nocolor": "--no-color",
    "--monochrome": "--no-color",
    "--color=never": "--no-color",
    "--color=no": "--no-color",
    "--color=off": "--no-color",
    "--color=false": "--no-color",
    "--silent": "--quiet",
    "--debug": "--verbose",
    "--trace": "--verbose",
    "--json": "--format=json",
    "--yaml": "--format=yaml",
    "--markdown": "--format=markdown",
    "--html": "--format=html",
    "--output": "--format",
    "--output-format": "--format",
    "--detailed-exit-code": "--detailed-exitcode",
    "--exit-code": "--detailed-exitcode",
    "--skip": "--exclude",
    "--target-exclude": "--exclude",
    "--save": "--out",
    "--autoapprove": "--auto-approve",
    "--assume-yes": "--auto-approve",
    "--no-confirm": "--auto-approve",
    "--approve": "--auto-approve",
    "--jobs": "--parallelism",
    "--concurrency": "--parallelism",
    "apply -j": "--parallelism",
    "apply -p": "--parallelism",
    "--where": "--filter",
    "--selector": "--filter",
    "--field-selector": "--filter",
    "get -l": "--filter",
    "--sort-by": "--sort",
    "--order-by": "--sort",
    "--no-browser": "--headless",
    "--no-launch-browser": "--headless",
    "--ours": "--keep=files",
    "--mine": "--keep=files",
    "--theirs": "--keep=server",
    "--dry-run": "--check",
    "fmt -n": "--check",
    "fmt -d": "--diff",
    "sandbox serve -p": "--port",
    "state migrate --backend": "--to",
}
"""Options, and what they are called here; with `=`, the value that they stand for. They apply
where a command has the option.
"""

NEEDLESS = {
    "--refresh": "every plan reads the server",
    "--color=auto": "colours are used at a terminal",
    "plan --dry-run": "a plan sends nothing",
    "plan -n": "a plan sends nothing",
    "plan --no-input": "a plan asks nothing",
    "plan --input": "a plan asks nothing",
    "validate --no-tests": "",
    "validate --dry-run": "validate writes nothing",
    "fmt --recursive": "fmt formats all folders",
    "fmt -r": "fmt formats all folders",
    "fmt -w": "fmt writes the files",
    "fmt --write": "fmt writes the files",
    "fmt -i": "fmt writes the files",
    "fmt --in-place": "fmt writes the files",
    "fmt --fix": "fmt writes the files",
    "plan --recursive": "a folder includes its folders",
    "apply --recursive": "a folder includes its folders",
    "apply -R": "a folder includes its folders",
    "get --all": "get shows all records",
    "get -A": "get shows all records",
    "get --all-namespaces": "get shows all records",
    "init --upgrade": "init refreshes the schemas",
    "init --reconfigure": "init changes no setting",
    "init -y": "init asks nothing",
    "init --yes": "init asks nothing",
    "state rm -f": "rm asks nothing",
    "state rm --force": "rm asks nothing",
    "state rm -y": "rm asks nothing",
    "state rm --yes": "rm asks nothing",
    "sandbox reset -y": "reset asks nothing",
    "sandbox reset --yes": "reset asks nothing",
    "sandbox reset -f": "reset asks nothing",
    "sandbox reset --force": "reset asks nothing",
}
"""Options that ask for what a command does anyway, and why they change nothing."""

ARGUMENTS = {
    *(
        f"{name} {option}"
        for name in ("plan", "apply", "drift")
        for option in ("--target", "--only")
    ),
    *(
        f"{name} {option}"
        for name in ("plan", "apply", "validate", "fmt")
        for option in ("-f", "-k", "--file", "--filename", "--path")
    ),
    "get --name",
    "get --id",
    "show --target",
    "import --id",
}
"""Options whose value is an argument of the command here."""

_VARIABLES = Advice(
    "Manifests have no variables. Write values that records share under defaults:.",
    what="stemctl {path} has no variables, so no option {typed}.",
)
_LOCK = Advice(
    "The state is always locked while something is written to it.",
    what="stemctl {path} has no option {typed}.",
)
_LACKS = "stemctl {path} has no option {typed}."
_PLAN = (("stemctl plan {rest}", "shows what apply would send, and sends nothing"),)

ADVICE = {
    "apply --dry-run": Advice("To see what it would send, make a plan.", _PLAN, _LACKS),
    "apply -n": Advice("To see what it would send, make a plan.", _PLAN, _LACKS),
    "apply --force": Advice(
        "What is held is sent once you allow it, by its kind and number.",
        (("stemctl plan", "shows what is held, and how to allow it"),),
        _LACKS,
    ),
    "apply --prune": Advice(
        "Records that are no longer in the files are deleted once you allow it.",
        (("stemctl apply --allow delete=N", "deletes up to N records"),),
        _LACKS,
    ),
    "apply --destroy": Advice(
        "To delete records, remove them from their files.",
        (("stemctl plan", "shows what would be deleted"),),
        _LACKS,
    ),
    "apply --refresh-only": Advice(
        "", (("stemctl drift", "shows what has changed on the server"),), _LACKS
    ),
    "apply --input": Advice(
        "Without a terminal, apply never asks.",
        (("stemctl apply --auto-approve", "applies without asking"),),
        _LACKS,
    ),
    "apply --replace": Advice(
        "Records are changed in place, and never replaced.",
        (("stemctl plan {rest}", "shows what would change"),),
        _LACKS,
    ),
    "plan --auto-approve": Advice(
        "A plan sends nothing, so there is nothing to approve.",
        (("stemctl apply --auto-approve {rest}", "plans, and applies without asking"),),
        _LACKS,
    ),
    "plan --generate-config-out": Advice(
        "",
        (("stemctl pull MODEL", "writes to your files what is on the server"),),
        _LACKS,
    ),
    "validate --fix": Advice(
        "Only the format can be repaired by a program.",
        (("stemctl fmt", "formats the files"),),
        _LACKS,
    ),
    "get --limit": Advice(
        "Records are read in full; your shell can cut the list.",
        (("stemctl get MODEL --filter FIELD=VALUE", "reads fewer records"),),
        _LACKS,
    ),
    "get --watch": Advice(
        "Run it again to see what has changed.",
        (("stemctl drift", "shows what has changed on the server since the last apply"),),
        _LACKS,
    ),
    "get -n": Advice(
        "There are no namespaces. Portals and servers are chosen by name.",
        (("stemctl get MODEL --portal public", "reads another portal"),),
        _LACKS,
    ),
    "login --token": Advice(
        "Tokens do not belong on a command line. Set the variable BRAINSTEM_TOKEN.",
        (("stemctl login", "gets a token with your browser"),),
        _LACKS,
    ),
    "init --backend-config": Advice(
        "Write where the state is kept in stemctl.yaml: state: {{backend: git}}.",
        (("stemctl state migrate --to git", "moves an existing state there"),),
        _LACKS,
    ),
    "init --force": Advice(
        "Files that exist are kept. Remove one, and init writes it again.",
        (("stemctl init", "adds missing files and refreshes the schemas"),),
        _LACKS,
    ),
    "sandbox serve --listen": Advice(
        "The sandbox listens on 127.0.0.1 only, since everyone knows its tokens.",
        (("stemctl sandbox serve --port 8000", "chooses the port"),),
        _LACKS,
    ),
    "--refresh=false": Advice(
        "Without reading the server, a plan can compare with the state.",
        (("stemctl plan --offline", "compares your files with what was applied last"),),
        _LACKS,
    ),
    "--var": _VARIABLES,
    "--var-file": _VARIABLES,
    "--lock": _LOCK,
    "--lock-timeout": _LOCK,
    "--color": Advice(
        "Colours are used at a terminal. They can only be turned off.",
        (("stemctl {path} --no-color {rest}", "prints no colours"),),
        _LACKS,
    ),
    "--config": Advice(
        "stemctl.yaml is found in the current folder or above it.",
        (("stemctl -C DIRECTORY {path} {rest}", "runs in the folder of another stemctl.yaml"),),
        _LACKS,
    ),
}
"""Options of other programs that have no counterpart."""

for _other, _same in {
    "-c": "--config",
    "--colour": "--color",
    "apply --what-if": "apply --dry-run",
    "apply --check": "apply --dry-run",
    "apply --plan": "apply --dry-run",
    "apply --no-input": "apply --input",
    "apply --non-interactive": "apply --input",
    "apply --force-conflicts": "apply --force",
    "plan --yes": "plan --auto-approve",
    "plan -y": "plan --auto-approve",
    "plan --destroy": "apply --destroy",
    "plan --refresh-only": "apply --refresh-only",
    "plan --replace": "apply --replace",
    "get -w": "get --watch",
    "get --namespace": "get -n",
    "init --migrate-state": "init --backend-config",
    "init --backend": "init --backend-config",
}.items():
    ADVICE[_other] = ADVICE[_same]

ARTICLES = {
    "PLAN|ADDRESS": "a saved plan or an address",
    "ADDRESS": "an address",
    "ADDRESS|ID": "an address or an id",
    "ID": "an id",
    "RUN": "the id of a run",
    "MODEL": "a model",
    "github|gitlab": "github or gitlab",
}
"""What an argument is, by how the usage names it."""

_ADDRESSES = ("stemctl state list", "lists the addresses that were applied")

NEEDED = {
    "show": (
        ("stemctl show MODEL/KEY", "shows a record, and where its values come from"),
        ("stemctl show plan.json", "shows a plan that was saved with plan --out plan.json"),
        _ADDRESSES,
    ),
    "import": (
        ("stemctl import MODEL/KEY ID", "binds an address to a record on the server"),
        ("stemctl get MODEL -o json", "prints the ids of the records on the server"),
    ),
    "resolve": (("stemctl plan", "shows which records are in conflict"),),
    "state show": (_ADDRESSES,),
    "state rm": (_ADDRESSES,),
    "state mv": (
        ("stemctl state mv MODEL/KEY MODEL/NEWKEY", "changes the address of a record"),
        _ADDRESSES,
    ),
    "runs show": (("stemctl runs list", "lists the runs"),),
    "approvals show": (("stemctl approvals list", "lists the proposals"),),
    "approvals accept": (("stemctl approvals list", "lists the proposals"),),
    "approvals reject": (("stemctl approvals list", "lists the proposals"),),
    "ci init": (
        ("stemctl ci init github", "creates workflows for GitHub Actions"),
        ("stemctl ci init gitlab", "creates a pipeline for GitLab"),
    ),
}
"""What to type in place of a command without its argument."""

_ONE_RECORD = "stemctl {path} takes one record, but you also typed {typed}."

EXTRA = {
    "init": Advice(
        "It writes to the current folder, or to that of -C.",
        (("stemctl -C {rest} init", "writes to a folder that exists"),),
        "stemctl {path} takes no arguments, but you typed {typed}.",
    ),
    "show": Advice(
        "An address is MODEL/KEY. Several records are shown one by one.",
        (("stemctl show {slashed}", "shows a record, if these words are its model and its key"),),
        _ONE_RECORD,
    ),
    "get": Advice(
        "A name with spaces is quoted; several records are chosen by --filter.",
        (("stemctl get MODEL", "shows all records"),),
        "stemctl {path} takes a model and one name or id, but you also typed {typed}.",
    ),
    "explain": Advice(
        "A field follows its model after a full stop, and the name of a record after a slash.",
        (("stemctl {described}", "describes a field, or shows a record"),),
        "stemctl {path} takes one model or field, but you also typed {typed}.",
    ),
    "import": Advice(
        "Bind them one by one. A model and a name are one word.",
        (("stemctl import MODEL/NAME ID", "binds an address to a record on the server"),),
        _ONE_RECORD,
    ),
    "sandbox serve": Advice(
        "",
        (("stemctl sandbox serve --port {rest}", "chooses the port"),),
        "stemctl {path} takes no arguments, but you typed {typed}.",
    ),
}
"""What to type in place of too many arguments."""
