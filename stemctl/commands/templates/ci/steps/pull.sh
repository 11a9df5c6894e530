@include login.sh@
code=0
stemctl@SERVER@ pull --all > pull.txt || code=$?
case "$code" in
  0 | 3) ;; # 3: something was left, and is named
  *) exit 1 ;;
esac
git add --update
git add --all -- '*.yaml'
found=no
if ! git diff --cached --quiet; then
  found=yes
  git config user.name stemctl
  git config user.email stemctl@users.noreply.github.com
  tree=$(git write-tree)
  before="" # the branch only grows: shared repositories may refuse rewritten history
  if git fetch --quiet --depth=1 origin stemctl-pull 2> /dev/null; then
    before="-p $(git rev-parse FETCH_HEAD)"
  fi
  if [ -z "$before" ] || ! git diff --quiet FETCH_HEAD "$tree"; then
    made=$(git commit-tree "$tree" $before -p HEAD -m "What changed on the server")
    git push --quiet origin "$made:refs/heads/stemctl-pull"
  fi
fi
echo "found=$found" >> "$GITHUB_OUTPUT"
{
  printf 'Written by `stemctl pull` on %s. To keep the files as they are, close this.\n\n' "$(date -u +%F)"
  head -c 60000 pull.txt | sed 's/^/    /'
} > pull.md
