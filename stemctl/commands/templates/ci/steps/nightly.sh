@include login.sh@
open=0
stemctl@SERVER@ plan --detailed-exitcode -o markdown --max-bytes 40000 > plan.md || open=$?
drifted=0
stemctl@SERVER@ drift --detailed-exitcode -o markdown --max-bytes 20000 > drift.md || drifted=$?
case "$open$drifted" in
  00) found=no ;;
  [02][02]) found=yes ;;
  *) exit 1 ;;
esac
echo "found=$found" >> "$GITHUB_OUTPUT"
{
  printf 'Found on %s. This text is renewed every night; the issue is closed once nothing is left.\n' "$(date -u +%F)"
  printf '\n## Merged, and not applied\n\n'
  cat plan.md
  printf '\n## Changed on the server since it was applied\n\n'
  cat drift.md
} > report.md
