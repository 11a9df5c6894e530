# -I: import nothing from the checkout; only wheels, since what builds others has no hash
lock="$CI_PROJECT_DIR/.gitlab/stemctl.lock"
python -I -m pip install --quiet --require-hashes --only-binary :all: --requirement "$lock"
python -I -m pip install --quiet --no-deps --no-build-isolation "@SOURCE@"
