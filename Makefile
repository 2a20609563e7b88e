# make demo   try the product: a small Slack in the browser, nothing to install beforehand
# make test   the whole test suite, with servers of its own
# make check  style, types, import rules, documents
# make bench  what we promise about speed, search and answers, beside what was promised
# make format, make lock, make install, make clean

.POSIX:
.DEFAULT_GOAL := demo
.PHONY: demo test check bench format lock install install-dev clean

RUN = PYTHONPATH=backend .venv/bin/python
SOURCES = backend
# Further words for the command behind a target: make demo ARGS="--port 9000", make test ARGS="-k redis",
# make bench ARGS="home_speed --times 20" (one benchmark, with its own words).
ARGS =

demo: install
	@$(RUN) -m app demo $(ARGS)

test: install-dev
	$(RUN) -m pytest -n logical $(ARGS)

check: install-dev
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)
	$(RUN) -m mypy
	$(RUN) -m pytest -q backend/tests/contracts/test_import_rules.py backend/tests/contracts/test_docs.py \
		backend/tests/contracts/test_manifest.py backend/tests/contracts/test_settings.py backend/tests/contracts/test_repository.py

bench: install-dev
	@$(RUN) backend/benchmarks/bench.py $(ARGS)

format: install-dev
	$(RUN) -m ruff check --fix-only $(SOURCES)
	$(RUN) -m ruff format $(SOURCES)

# The locks name a hash for every file and every platform; installing takes nothing else.
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"
lock: install
	$(COMPILE) --extra embedded --extra build pyproject.toml -o requirements/app.lock
	$(COMPILE) --extra embedded --extra build --extra dev -c requirements/app.lock pyproject.toml -o requirements/dev.lock
	$(COMPILE) requirements/installer.in -o requirements/installer.lock

# The stamps hold the reason to do nothing; requirements/install.sh does the work.
install: .venv/.app-is-installed
install-dev: .venv/.dev-is-installed
.venv/.app-is-installed: requirements/app.lock requirements/install.sh pyproject.toml
	@sh requirements/install.sh app
.venv/.dev-is-installed: requirements/dev.lock requirements/install.sh pyproject.toml
	@sh requirements/install.sh dev

clean:
	@if [ -f .data/servers/moved-to ]; then rm -rf "$$(cat .data/servers/moved-to)"; fi
	rm -rf .venv .data .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find backend -name __pycache__ -type d -prune -exec rm -rf {} +
