# Each target sets up what it needs and can be the first command on a fresh machine.
#   make demo [DATA=dir] [WIPE=1]   make PYTHON=/path/to/python3.13 …   LOCAL_AWS_PORT=… LOCAL_REDSHIFT_PORT=… LOCAL_PG_PORT=…

DATA ?=
WORKERS ?= 4
bin := .venv/bin
# sam and cfn-lint ask for a region even where they only read files.
export AWS_DEFAULT_REGION ?= us-west-2
# make verify looks for a stack of yours: its region is yours too.
own_region = $(if $(filter file,$(origin AWS_DEFAULT_REGION)),env -u AWS_DEFAULT_REGION)
export SAM_CLI_TELEMETRY = 0

.PHONY: help demo up down test faults mutants soak week bench verify tools package lint format clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 15

# Two groups of packages: what the demo runs with, and with it what the tests and the linters need.
.venv/.installed-%: pyproject.toml fakeshift/pyproject.toml tools/make-venv.sh tools/install.py
	@bash tools/make-venv.sh $*

demo: .venv/.installed-demo ## files into the star schema on a local AWS, from an empty start; DATA=dir takes your own files
	@$(bin)/python -m local demo $(if $(DATA),--data "$(DATA)") $(if $(WIPE),--wipe)

up: .venv/.installed-demo ## start the local AWS and the local Redshift in the background
	@$(bin)/python -m local up

down: .venv/.installed-demo ## stop them
	@$(bin)/python -m local down

# Each test goes to whoever is free, but those of tests/e2e: they come first, to two workers, and partly wait.
test: .venv/.installed-dev ## all tests, in four processes; PYTEST="-k trigger -x" passes options on, WORKERS=0 takes one
	@$(bin)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST)

faults: .venv/.installed-dev ## each recorded call, statement and state of a load × each fault (make test takes a selection)
	@FAULTS=all $(bin)/python -m pytest -n $(WORKERS) tests/faults tests/contracts/test_change.py \
		tests/stateful/test_many_contracts.py tests/stateful/test_masking.py $(PYTEST)

mutants: .venv/.installed-dev ## takes each mechanism away and shows the test that fails without it
	@$(bin)/python -m tests.mutants

soak: .venv/.installed-dev ## a random mixture of uploads, loads and faults on a local AWS; SECONDS=300 SEED=…
	@$(bin)/python -m tests.world.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

week: .venv/.installed-dev ## plays a week of operation and writes its page of loads, build/week.html
	@$(bin)/python -m tests.world.week $(if $(DAYS),--days $(DAYS)) $(if $(PICTURE),--picture "$(PICTURE)")

bench: .venv/.installed-dev ## measures what docs/performance.md says, writes benchmarks/results/; BENCH="costs latency --quick"
	@$(bin)/python -m benchmarks $(BENCH)

verify: .venv/.installed-demo ## tries on a real AWS what is claimed here: STACK=name, or WORKGROUP= DATABASE= BUCKET= ROLE=; ARGS="--clean"
	@$(own_region) $(bin)/python -m verify $(if $(STACK),--stack "$(STACK)") $(if $(WORKGROUP),--workgroup "$(WORKGROUP)") \
		$(if $(DATABASE),--database "$(DATABASE)") $(if $(BUCKET),--bucket "$(BUCKET)") $(if $(ROLE),--role "$(ROLE)") $(ARGS)

tools: .venv/.installed-dev ## the local Redshift with real clients, each in an environment of its own; TOOLS="dbt psycopg" selects
	@bash tools/clients.sh $(TOOLS)

package: ## fakeshift alone in an empty environment, and its README's test; PYTHON="python3.11 python3.13" tries several
	@bash tools/package.sh $(PYTHON)

lint: .venv/.installed-dev ## Python, template, state machine and SQL
	@PATH="$(CURDIR)/$(bin):$$PATH" bash tools/lint.sh

format: .venv/.installed-dev ## let ruff format the Python code
	@$(bin)/ruff check --fix --quiet . && $(bin)/ruff format .

clean: ## stop the local AWS and remove all that make has made
	@if [ -e .venv/.installed-demo ]; then $(bin)/python -m local down; fi
	@rm -rf .venv .local .aws-sam .tools build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
