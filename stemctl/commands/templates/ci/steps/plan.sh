@include login.sh@
git -C "$GITHUB_WORKSPACE" cat-file -e "$BASE^{commit}" 2> /dev/null ||
  git -C "$GITHUB_WORKSPACE" fetch --quiet --depth=1 origin "$BASE"
if [ -n "$BRAINSTEM_TOKEN" ]; then how=""; else how="--offline"; fi
stemctl@SERVER@ plan $how --base "$BASE" -o markdown --max-bytes 60000 > plan.md
