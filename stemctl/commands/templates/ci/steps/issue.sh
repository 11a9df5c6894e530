number=$(gh issue list --state open --label stemctl-nightly --limit 1 --json number --jq '.[].number')
if [ "$FOUND" = no ]; then
  if [ -n "$number" ]; then
    gh issue close "$number" --comment "Everything that is merged is applied, and the server is as it was left."
  fi
elif [ -n "$number" ]; then
  gh issue edit "$number" --body-file report.md
else
  gh label create stemctl-nightly --force --description "Kept by the nightly job of stemctl"
  gh issue create --title "Files and server differ" --label stemctl-nightly --body-file report.md
fi
