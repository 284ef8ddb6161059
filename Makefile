# The two commands are `make book` and `make test`; `make help` lists the rest.
# Nothing is installed outside $(VENV), and nothing is written outside this folder but the data cache of lrlib.

PYTHON  ?= python3
VENV    ?= .venv
WORKERS ?= 2
SEED    ?= 0
PORT    ?= 8000
# For gpu-bundle: the Python of the machine that it is for, and packages that this one lacks beside the usual ones.
PYTHON_THERE ?= 3.12
ALSO         ?=

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book test figure serve bench lint clean env html test-lint test-unit test-notebooks test-html \
  exercises set-repository first-cells cards teach test-teach test-wheel test-gpu test-browser lighthouse rehearse-gpu \
  gpu-bundle pdf release outside-links lowest book-2 torture

BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
HTML    := _build/html
REPORTS := _build/reports
# Tests that look at the built pages and so come after them.
ON_PAGES := tests/book/test_html.py tests/book/test_figures_and_table.py
IN_BROWSER := tests/book/test_browser.py tests/book/test_controls.py tests/book/test_explorer.py

# What test-notebooks leaves for the build: outputs, and settings that take them.
OUTPUTS  := _build/outputs
KEPT     := _config.outputs.yml
SETTINGS ?=

# Cells print no progress bars.
export LRLIB_PROGRESS := off
# The frameworks of the extra rosetta are installed by `make`: their tests may not skip.
export LRLIB_ROSETTA := required
# The live cells' network is tiny: one thread is enough, and thread pools of two workers would fight for the cores.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

# $(call stage,NAME,COMMAND): runs COMMAND and notes NAME, exit status and seconds for the summary of .ci/run.
define stage
mkdir -p $(REPORTS); echo; echo "== $(1)"; start=$$SECONDS; status=0; \
( $(2) ) || status=$$?; \
echo "$(1) $$status $$((SECONDS - start))" >> $(REPORTS)/stages; exit $$status
endef

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: env html  ## run every notebook and build the pages
	@echo; echo "The book is built. Its first page: file://$(CURDIR)/$(HTML)/index.html  (or: make serve)"

test: env test-lint test-unit test-notebooks test-html test-teach  ## everything: style, tests, notebooks, book, pack

figure: env  ## draw the README's figure from the records again
	@$(BIN)/python -m tools.readme_figure

exercises: env  ## write the exercises into the chapters again
	@$(BIN)/python -m tools.exercises

teach: env  ## lesson, slides, handout and notebooks for a class, in _build/teach (SEED=n: other numbers)
	@$(ONE_THREAD) $(BIN)/python -m tools.teach --seed $(SEED)

set-repository: env  ## REPO=owner/name: write it into the settings, README, CITATION.cff and all notebooks
	@$(BIN)/python -m tools.repository '$(REPO)'

first-cells: env  ## write badge, first cell and card into all notebooks again
	@$(BIN)/python -m tools.notebooks

cards: env  ## run all notebooks, note what they take in book/cards.json, write it on their cards
	@$(BIN)/python -m tools.cards

test-wheel: env  ## every notebook with nothing but the wheel and Colab's versions (about 6 GB more, once)
	$(BIN)/python tests/helpers/wheel.py

test-gpu: env  ## every notebook on this machine's GPU, noted on the cards (LRLIB_DATA=CIFAR-10; PRETEND=1: no GPU)
	@$(BIN)/python book/tools/gpu_notebooks.py --jobs $(WORKERS) --note $(if $(PRETEND),--pretend)
	@$(BIN)/python -m tools.notebooks

rehearse-gpu: env  ## path graph captured and replayed on a false CUDA runtime: for whoever changes the engine (needs gcc)
	@$(ONE_THREAD) $(BIN)/python tests/false_gpu/rehearse.py

test-browser: env  ## a student's path through a notebook in a real browser (needs Chromium)
	$(BIN)/python tests/browser/run.py

pdf: env  ## the built book as one PDF with contents and bookmarks, _build/book.pdf (needs Chromium)
	@$(BIN)/python -m tools.pdf

release: pdf teach  ## what a release offers, in _build/release: wheel, PDF, cheat sheet, teacher's pack (TAG=v1.2.3)
	@$(BIN)/python -m tools.release $(if $(TAG),--tag '$(TAG)')

torture: env  ## kills, full disks, jumping clocks, flipped bits, bad inputs, by a seed (10 minutes; SEED=n)
	@PYTHONPATH=tests/helpers $(ONE_THREAD) $(BIN)/python -m torture --seed $(SEED) --out benchmarks/results/torture.json

outside-links: env  ## ask every address outside the book whether it still answers (needs a network)
	@test -f $(HTML)/index.html || { echo "There is no built book yet: run 'make book' first."; exit 1; }
	@$(BIN)/python tests/helpers/outside_links.py $(HTML)

lowest:  ## the library's tests with the lowest versions that pyproject.toml allows (about 6 GB more, once)
	@$(PYTHON) tests/helpers/lowest.py

book-2:  ## what Jupyter Book 2 says of this book: a look ahead (needs a network)
	@$(PYTHON) tests/helpers/book_2.py

lighthouse: env  ## Lighthouse on the built pages, median of three (needs node, npm, Chromium; 25 minutes)
	@test -f $(HTML)/index.html || { echo "There is no built book yet: run 'make book' first."; exit 1; }
	$(BIN)/python tests/lighthouse/run.py $(PAGES)

serve: env  ## show the built pages at http://localhost:8000 (PORT=n: another port)
	@$(BIN)/python -m tools.serve --port '$(PORT)'

bench: env  ## speed of the trainer and its peers, side by side (installs the peers; 20 minutes, a quiet machine)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/throughput.py --out benchmarks/results/throughput.json
	@echo
	$(BIN)/python benchmarks/small_costs.py --out benchmarks/results/small_costs.json

gpu-bundle: env  ## what a GPU machine without network lacks, in _build/gpu (PYTHON_THERE=3.12; 5 minutes, once)
	@$(BIN)/python -m cluster.bundle make --python $(PYTHON_THERE) --also $(ALSO)

lint: env  ## style of code and notebooks, the order of imports, types, spelling, workflows
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/zizmor --offline --quiet .github

clean:  ## remove what was built (the environment stays)
	rm -rf _build .executed $(KEPT) .pytest_cache .ruff_cache .mypy_cache .hypothesis

env: $(STAMP)

# An environment holds the path of its folder: copied with the project, it would go on with the first one's code.
# So the stamp holds the path too, and an environment at another one is made anew. (A link to it is no copy.)
MADE_AT := $(shell cat '$(STAMP)' 2>/dev/null)
STANDS_AT := $(shell cd '$(VENV)' 2>/dev/null && pwd -P)
ifneq ($(MADE_AT),)
ifneq ($(MADE_AT),$(STANDS_AT))
COPIED := yes
.PHONY: $(STAMP)
endif
endif

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "This project needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is $$($(PYTHON) -V 2>&1 || true);" \
	       "name another one, for example: make book PYTHON=python3.12"; exit 1; }
	@test -z '$(COPIED)' || { echo "$(VENV) was made at $(MADE_AT); it is made anew here."; \
	  $(PYTHON) -m venv --clear $(VENV); }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv $(VENV)' failed; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@# Most of the 15,000 modules are never imported; those that are get compiled then.
	@echo "Installing the pinned stack into $(VENV): some minutes and about 6 GB, once."
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	  -e ".[train,book,test,source-check,rosetta,ray,slurm]"
	@(cd $(VENV) && pwd -P) > $@

# Fresh doctrees: on an unchanged second build Sphinx would not repeat its warnings. -W -n: warnings are errors.
html: env
	rm -rf $(HTML) _build/.doctrees _build/jupyter_execute
	$(ONE_THREAD) $(BIN)/jupyter-book build . $(SETTINGS) -W -n --keep-going --all --quiet
	$(ONE_THREAD) $(BIN)/python -m tools.light $(HTML) --config _config.yml

test-lint: env
	@rm -rf $(REPORTS)
	@$(call stage,lint,$(MAKE) --no-print-directory lint)

test-unit: env
	@$(call stage,unit,$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(patsubst %,--ignore %,$(ON_PAGES) $(IN_BROWSER)) \
	  --ignore tests/book/test_pack.py \
	  --junitxml $(REPORTS)/unit.xml)

# Copies, which keep their outputs: in `make test` the build takes them from there, and nothing runs twice. Not in
# _build, where nbmake looks for nothing.
test-notebooks: env
	@rm -rf .executed $(OUTPUTS) $(KEPT)
	@for folder in survey beyond teach; do \
	  mkdir -p .executed/book/$$folder; cp book/$$folder/*.ipynb .executed/book/$$folder; done
	@$(call stage,notebooks,$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --nbmake --nbmake-timeout=600 \
	  --overwrite --junitxml $(REPORTS)/notebooks.xml .executed/book \
	  && $(BIN)/python -m tools.outputs .executed/book $(OUTPUTS) $(KEPT))

test-html: env
	@$(call stage,build,$(MAKE) --no-print-directory html \
	  $(if $(filter test,$(MAKECMDGOALS)),SETTINGS="$$([ ! -f $(KEPT) ] || echo --config $(KEPT))"))
	@$(call stage,pages,$(BIN)/python -m pytest --junitxml $(REPORTS)/pages.xml $(ON_PAGES))
	@$(call stage,browser,$(BIN)/python -m pytest -n $(WORKERS) --junitxml $(REPORTS)/browser.xml $(IN_BROWSER))

# After the pages, as the slides take the chapters' outputs from them. Other numbers than the book's, so that both
# sets of numbers are seen.
test-teach: env
	@$(call stage,teach,$(MAKE) --no-print-directory teach SEED=1)
	@$(call stage,pack,$(BIN)/python -m pytest --junitxml $(REPORTS)/pack.xml tests/book/test_pack.py)
