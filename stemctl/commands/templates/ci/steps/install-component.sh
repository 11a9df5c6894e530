# -I: import nothing from the checkout; only wheels, since what builds others has no hash
stemctl=$(mktemp -d)
git -C "$stemctl" init --quiet
git -C "$stemctl" fetch --quiet --depth=1 "$[[ inputs.repository ]]" "$[[ inputs.commit ]]"
git -C "$stemctl" checkout --quiet FETCH_HEAD
lock="$stemctl/stemctl/commands/templates/ci/stemctl.lock"
python -I -m pip install --quiet --require-hashes --only-binary :all: --requirement "$lock"
python -I -m pip install --quiet --no-deps --no-build-isolation "$stemctl"
