# Everything happens in .venv, made on first use. Paths are relative, so the checkout may lie in a
# folder whose name holds spaces. `make help` lists the targets.

PYTHON ?= python3
DATA ?= data/train
APP_ARGS ?=
TRAIN_ARGS ?=
LAB_ARGS ?=
MINUTES ?= 25
RECIPE ?= base
BENCHMARKS ?= data/benchmarks
GPU_RUN ?= runs/gpu-$(RECIPE)
PYTEST_ARGS ?=
ATTACK_ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
APP := $(VENV)/.gsr-app
ALL := $(VENV)/.gsr-all

# The Python that trains on a GPU; another one than the project's own is taken as it is.
GPU_PY ?= $(PY)
GPU_READY := $(if $(filter $(PY),$(GPU_PY)),$(ALL))

NODE_USABLE := { command -v npm >/dev/null 2>&1 && \
	node -e 'const [a, b] = process.versions.node.split("."); process.exit(100 * a + +b >= 2019 ? 0 : 1)' 2>/dev/null; }

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help app test attack docs lint format notebooks train-lite gpu-train gpu-check clean browser \
	scripts lint-scripts FORCE

# A stamp is only believed while the environment's Python runs and the checkout lies where it lay.
USABLE := import pip, sys; sys.exit(sys.version_info < (3, 11))
STATE := $(shell $(PY) -c '$(USABLE)' 2>/dev/null && \
	[ "$$(cat $(VENV)/.gsr-place 2>/dev/null)" = "$$(pwd -P)" ] && echo ready)
ifneq ($(STATE),ready)
$(PY) $(APP) $(ALL): FORCE
endif

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F '|' '{printf "%-20s %s\n", $$1, $$2}'

app: $(APP) ## start the app on this machine and print its address (APP_ARGS='...' is handed on)
	@$(VENV)/bin/gsr app $(APP_ARGS)

# Threads that wait by spinning make small steps very slow beside anything else that runs.
test: $(ALL) browser lint scripts ## run every check: lint, format, types, imports, spelling, tests
	OMP_WAIT_POLICY=PASSIVE $(PY) -m pytest $(PYTEST_ARGS)

# --inputs, --requests, --kills, --clients, --seconds, --seed, --only; see --help.
attack: $(ALL) ## hostile inputs, requests, kills and a crowd; writes docs/reliability.md (ATTACK_ARGS='...')
	OMP_WAIT_POLICY=PASSIVE $(PY) -m tests.attack $(ATTACK_ARGS)

# Links and references that lead nowhere are errors. Running the notebooks takes minutes the first time.
docs: $(ALL) ## build the documentation into build/site, strictly
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "build/site/index.html"

# Nothing of node is needed to run the project; it only checks the modules that browsers run.
scripts: ## test the browser modules that draw nothing, where node is there
	@if $(NODE_USABLE); then npm --prefix apps test --silent; \
	else echo "The browser modules were not tested: that takes node 20.19 or newer with npm."; fi

lint-scripts:
	@if ! $(NODE_USABLE); then \
	  echo "The browser modules were not linted: that takes node 20.19 or newer with npm."; \
	elif [ apps/node_modules/.package-lock.json -nt apps/package-lock.json ] || \
	  { npm --prefix apps ci --silent --no-audit --no-fund && touch apps/node_modules/.package-lock.json; }; \
	then npm --prefix apps run lint --silent; \
	else echo "The browser modules were not linted: npm could not install eslint and tsc, see above."; fi

lint: $(ALL) lint-scripts ## run the checks that execute nothing
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()'
	$(PY) -m codespell_lib

format: $(ALL) ## format the code, mend what lint can mend by itself
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

notebooks: $(ALL) ## open the course in JupyterLab
	$(PY) -m jupyterlab --notebook-dir=notebooks $(LAB_ARGS)

train-lite: $(ALL) ## train the small model (DATA=folder of images, TRAIN_ARGS='...')
	@[ -d "$(DATA)" ] || { \
	  echo "There is no folder '$(DATA)': name one with training images, make train-lite DATA=FOLDER."; \
	  exit 1; }
	$(PY) -m gsr_training.train training/gsr_training/configs/lite.toml --data "$(DATA)" $(TRAIN_ARGS)

gpu-train: $(GPU_READY) ## train RECIPE within MINUTES on this machine's GPU and evaluate it (DATA=, BENCHMARKS=)
	@[ -d "$(DATA)" ] || { \
	  echo "There is no folder '$(DATA)': name one with training images, make gpu-train DATA=FOLDER."; \
	  exit 1; }
	PYTHONPATH=.:training $(GPU_PY) -m gsr_training.train $(RECIPE) --data "$(DATA)" --out "$(GPU_RUN)" \
	  --minutes $(MINUTES) --extend --device cuda $(TRAIN_ARGS)
	@if [ -d "$(BENCHMARKS)" ]; then \
	  PYTHONPATH=. $(GPU_PY) -m gsr eval --data "$(BENCHMARKS)" --scales 2,3,4,6,8 \
	    --device cuda --methods bicubic,"$$(ls "$(GPU_RUN)"/*.safetensors | grep -v /checkpoint)" -o "$(GPU_RUN)/evaluation"; \
	else echo "No tables: BENCHMARKS=FOLDER names the test sets."; fi

gpu-check: $(GPU_READY) ## compare the GPU's kernels with the formula and time them; without a GPU by interpreter
	PYTHONPATH=.:training $(GPU_PY) -m gsr_training.measure.gpu_check

clean: ## remove caches and builds; .venv, runs and data stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) \
	  -exec rm -rf {} +

# ---------------------------------------------------------------------------------------------
# The environment
# ---------------------------------------------------------------------------------------------

# Made when it is missing; made anew when its Python is gone or too old.
$(PY):
	@if $(PY) -c '$(USABLE)' 2>/dev/null; then exit 0; fi; \
	version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
	case "$$version" in \
	  3.1[1-9]|3.[2-9][0-9]) ;; \
	  *) if command -v "$(PYTHON)" >/dev/null 2>&1; then found="is $${version:-not usable}"; \
	     else found="is not there"; fi; \
	     echo "gsr needs Python 3.11 or newer and '$(PYTHON)' $$found: name another one, for example make app PYTHON=python3.12."; \
	     exit 1 ;; \
	esac; \
	if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "'$(PYTHON)' comes without its venv module: install it first (on Debian and Ubuntu the package python3-venv)."; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with Python $$version."; \
	"$(PYTHON)" -m venv --clear $(VENV)

# torch comes first and alone, under its pin: asked for loosely, by another package, it may be
# replaced by the newest release with several gigabytes of CUDA libraries.
$(APP): pyproject.toml constraints.txt | $(PY)
	@echo "Installing gsr into $(VENV); the first time takes a few minutes."
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[app]'
	@echo "Compiling the splatting loops, so that the first start need not."
	@$(PY) -c 'import gsr, torch; gsr.load("lite").encode(torch.zeros(3, 4, 4)).render(scale=2)'
	@pwd -P > $(VENV)/.gsr-place
	@touch $@

$(ALL): pyproject.toml constraints.txt | $(PY)
	@echo "Installing gsr and the tools for its tests into $(VENV); the first time takes a few minutes."
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[app,dev,notebook,train,video]'
	@pwd -P > $(VENV)/.gsr-place
	@touch $@ $(APP)

# Where a browser is missing and this user may install it, it is installed. Firefox gets a screen from
# Xvfb, since without a window it has no WebGL.
browser:
	@$(call installed,chromium chromium-browser google-chrome google-chrome-stable,Chromium,chromium); \
	echo "The browser tests need Chromium and it could not be installed: install it with this system's package manager, or leave them out with make test PYTEST_ARGS=\"-m 'not browser'\"."
	@if ! $(NODE_USABLE); then \
	  echo "The tests in Firefox are left out: they take node 20.19 or newer with npm."; exit 0; \
	fi; \
	if command -v Xvfb >/dev/null 2>&1 && { command -v firefox-esr || command -v firefox; } >/dev/null 2>&1; \
	then exit 0; fi; \
	$(call installed,,Firefox,firefox-esr xvfb); \
	echo "Firefox could not be installed: its tests are left out."

# $(call installed,NAMES,BROWSER,PACKAGES): ends the recipe's line with 0 where one of the names is a command.
define installed
for name in $(1); do \
	  if command -v $$name >/dev/null 2>&1; then exit 0; fi; \
	done; \
	root=; may=no; \
	if command -v apt-get >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ]; then may=yes; \
	  elif sudo -n true 2>/dev/null; then may=yes; root="sudo -n"; fi; \
	fi; \
	if [ $$may = yes ]; then \
	  echo "Installing $(2) for the browser tests."; \
	  $$root apt-get update -qq </dev/null && \
	  $$root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $(3) </dev/null >/dev/null && exit 0; \
	fi
endef
