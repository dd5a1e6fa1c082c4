# Every command of the project.  CI runs nothing that cannot be run by hand from here.
.DEFAULT_GOAL := help
.PHONY: help setup demo fast check test agents test-agents ci bench soak shake docs lock clean

python := .venv/bin/python

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup:  ## Make .venv from the lock file; does nothing when it is current.
	@scripts/setup

demo: setup  ## Put tasks on a board of its own and watch them being worked.
	@$(python) -m examples.demo

fast: setup  ## Format, lint, types, imports and tidy: what a commit needs.
	@$(python) scripts/gate.py fast

check: setup  ## fast, plus generated pages and unit tests: under a minute.
	@$(python) scripts/gate.py check

test: setup  ## check, plus the suites on real databases and real processes.
	@$(python) scripts/gate.py test

agents: setup  ## Install the real agent programs that test-agents drives (Node.js, 1.4 GB).
	@$(python) scripts/agents.py

test-agents: setup  ## Real agent programs against a scripted model server.
	@$(python) scripts/gate.py agents

ci: setup  ## test, plus the built wheel end to end: everything CI runs.
	@$(python) scripts/gate.py ci

bench: setup  ## Measure throughput and pick-up latency on this machine.
	@$(python) -m bench

soak: setup  ## Random walks over the model, and chaos over a daemon, for a long time.
	@$(python) -m pytest tests/model --hypothesis-profile=soak --timeout=3600
	@$(python) -m pytest tests/e2e/soak.py

shake: setup  ## The tests of the dashboard on a slow line and processor, on boards that never rest.
	@SHOPFLOOR_SLOW_BROWSER=$${SHOPFLOOR_SLOW_BROWSER-80,3} SHOPFLOOR_CHURN=$${SHOPFLOOR_CHURN-5} \
		$(python) -m pytest tests/web --ignore-glob='*/test_api_*' -n 2

docs: setup  ## Make the reference pages anew from the code.
	@$(python) scripts/docs.py

lock: setup  ## Make the lock files anew; UPGRADE=1 takes the newest versions.
	@scripts/lock

clean:  ## Remove everything that was made, the environment included.
	rm -rf .venv .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
