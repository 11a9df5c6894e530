number=$(gh pr list --state open --head stemctl-pull --limit 1 --json number --jq '.[].number')
if [ "$FOUND" = no ]; then
  if [ -n "$number" ]; then
    gh pr close "$number" --comment "The files have all of it now."
  fi
elif [ -n "$number" ]; then
  gh pr edit "$number" --body-file pull.md
else
  gh pr create --base "$BRANCH" --head stemctl-pull --title "What changed on the server" --body-file pull.md
fi
