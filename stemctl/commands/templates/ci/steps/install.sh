# -I: import nothing from the checkout
python -I -m pip install --quiet --require-hashes --requirement "$GITHUB_WORKSPACE/.github/stemctl.lock"
python -I -m pip install --quiet --no-deps --no-build-isolation "$STEMCTL"
