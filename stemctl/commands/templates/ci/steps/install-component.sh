# -I: import nothing from the checkout
stemctl=$(mktemp -d)
git -C "$stemctl" init --quiet
git -C "$stemctl" fetch --quiet --depth=1 "$[[ inputs.repository ]]" "$[[ inputs.commit ]]"
git -C "$stemctl" checkout --quiet FETCH_HEAD
python -I -m pip install --quiet --require-hashes \
  --requirement "$stemctl/stemctl/commands/templates/ci/stemctl.lock"
python -I -m pip install --quiet --no-deps --no-build-isolation "$stemctl"
