# -I: import nothing from the checkout
python -I -m pip install --quiet --require-hashes --requirement "$CI_PROJECT_DIR/.gitlab/stemctl.lock"
python -I -m pip install --quiet --no-deps --no-build-isolation "@SOURCE@"
