@include login.sh@
stemctl@SERVER@ plan --out plan.json
python -I - plan.json >> "$GITHUB_OUTPUT" <<'END'
import json, sys
plan = json.load(open(sys.argv[1], encoding="utf-8"))
sent = sum(change["held"] is None for change in plan["changes"])
print(f"commit={plan['commit']}")
print(f"digest={plan['digest']}")
print(f"changes={sent + len(plan['bookkeeping'])}")
END
