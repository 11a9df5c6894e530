mark=$(head -n 1 plan.md)
ours='.[] | select(.user.login == "github-actions[bot]") | [(.id | tostring), .body] | @tsv'
id=$(gh api --paginate "repos/$GH_REPO/issues/$NUMBER/comments" --jq "$ours" |
  { grep -F "$mark" || true; } | head -n 1 | cut -f 1)
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GH_REPO/issues/comments/$id" --field body=@plan.md
else
  gh api --silent --method POST "repos/$GH_REPO/issues/$NUMBER/comments" --field body=@plan.md
fi
