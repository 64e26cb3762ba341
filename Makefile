# 客户之声工作台. `make` alone lists the targets. Everything is installed into .venv by pip, with the pins of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STORE ?= sample
# Where pip takes torch from: empty = the usual index. On Linux its torch brings gigabytes of CUDA; name a CPU index to avoid that.
TORCH_INDEX ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help report test lab bench headlines pictures clean
help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "需要 Python 3.11 或更新版本，现在是 " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(PIP) torch==2.13.0 --index-url $(TORCH_INDEX),$(PIP) torch==2.13.0)
	$(PIP) -e '.[dev]'
	@$(BIN)/jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements >/dev/null 2>&1 # no news from the network
	@touch $@

# The planted world that `make report` and the notebooks run on: 4,000 customers over 120 weeks, some 20,000 feedback. A file names what is there.
SAMPLE := data/raw/sample
CUSTOMERS ?= 4000
$(SAMPLE)/_truth/world.json: | $(STAMP)
	@$(BIN)/voc sample --domain auto --customers $(CUSTOMERS) --out $(SAMPLE)

report: $(STAMP) $(SAMPLE)/_truth/world.json ## plant the sample, ingest it, run the notebooks, write reports/<week>/index.html (prints the path last)
	@$(BIN)/voc weekly --store $(STORE)

test: $(STAMP) ## run the whole test suite (browser tests need Debian's chromium and fonts-noto-cjk, else they skip)
	@$(BIN)/python -m pytest -n 4 --dist loadfile

lab: $(STAMP) ## open JupyterLab on notebooks/ (fits the topics of the store first, where it has none)
	@$(BIN)/voc topics fit --store $(STORE) --if-missing || true
	@$(BIN)/jupyter lab --notebook-dir=notebooks

bench: $(STAMP) ## print the tables of speed and of false alarms (minutes; nothing is asserted)
	@for script in tests/bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

headlines: $(STAMP) ## run the notebooks on the sample and keep their headline numbers in git
	@$(BIN)/python tests/notebooks/headlines.py

pictures: $(STAMP) ## make the pictures of the READMEs from the sample (needs Debian's chromium and fonts-noto-cjk)
	@$(BIN)/python tests/browser/pictures.py

clean: ## remove the environment, the lake and the reports (exports in data/raw stay)
	rm -rf $(VENV) data/lake reports/[0-9]* reports/pages reports/.work reports/.failed reports/index.html reports/latest*.html
