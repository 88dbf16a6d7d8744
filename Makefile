# Two commands: `make run` and `make test`. The others are explained in CONTRIBUTING.md.
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
DATA := data

# What `make guest` boots from.
GUEST := .guest

# The Debian system in which `make picamera2` runs.
PICAMERA2 := .picamera2

.PHONY: run test test-real test-all lint format types bench-quick bench-rig-quick setup rig rig-ci pose nwb \
    pictures guest picamera2 clean
.NOTPARALLEL:

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/setup_venv.sh
	@bash tools/setup_venv.sh $(VENV) '.[insilico]'
	@touch $@

$(DEV): $(STAMP)
	@bash tools/setup_venv.sh $(VENV) '.[insilico,test,lint]'
	@touch $@

# What a rig needs beyond that, on a Raspberry Pi, a Jetson or a PC: libraries of cameras, sound, GPIO and I2C.
rig: $(STAMP)
	@bash tools/install_rig.sh $(VENV)

# What the tests of real devices need, on any Debian machine.
rig-ci: $(DEV)
	@bash tools/install_rig.sh $(VENV) ci

# DeepLabCut-Live and PyTorch, about 6 GB, for pose_backend = dlc.
pose: $(STAMP)
	@bash tools/install_pose.sh $(VENV)

# What `rigloop export --nwb` needs.
nwb: $(STAMP)
	@bash tools/setup_venv.sh $(VENV) '.[insilico,nwb]'

run: $(STAMP)
	@$(PY) brain/cla_reward_punish_1roi.py --mouse SIM1 --data-root $(DATA)

test: $(DEV)
	$(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests --ignore tests/realtime

# What says nothing of time, or allows much of it, two files at once; then, one after the other, what measures it.
UNTIMED := $(wildcard tests/realtime/test_browser*.py) \
    $(addprefix tests/realtime/test_,page.py page_beside.py page_jobs.py page_lookback.py page_places.py) \
    $(addprefix tests/realtime/test_,docs.py dlc.py dlc_conformance.py dlc_session.py nwb.py train_pose.py)

test-real: $(DEV)
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(UNTIMED)
	$(PY) -m pytest -q tests/realtime $(UNTIMED:%=--ignore=%)

test-all: test test-real

# The documentation's pictures of the page, out of those that the test that drives it takes.
PICTURES := $(addprefix page-,watch-wide-light.png watch-phone-dark.png place-wide-light.png run-wide-light.png)

pictures: $(DEV)
	mkdir -p .pictures
	RIGLOOP_PICTURES=.pictures $(PY) -m pytest -q tests/realtime/test_browser.py
	cd .pictures && cp $(PICTURES) ../docs/images

guest: $(DEV)
	@bash tests/guest/make_cache.sh $(GUEST)
	$(PY) -m tests.guest.boot $(GUEST)

picamera2: $(DEV)
	@bash tests/picamera2/make_chroot.sh $(PICAMERA2)
	$(PY) -m tests.picamera2.run $(PICAMERA2)

lint: $(DEV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(DEV)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

types: $(DEV)
	$(VENV)/bin/mypy

bench-quick: $(DEV)
	$(PY) -m bench.bench_dff --quick
	$(PY) -m bench.bench_loop --quick
	$(PY) -m bench.bench_mouse --quick
	$(PY) -m bench.bench_motor --quick
	$(PY) -m bench.bench_pose --quick
	$(PY) -m bench.bench_rig --quick
	$(PY) -m bench.bench_recording --quick
	$(PY) -m bench.bench_storage --quick
	$(PY) -m bench.bench_page --quick
	$(PY) -m bench.bench_view --quick

# These need what make rig-ci installs.
bench-rig-quick: $(DEV)
	$(PY) -m bench.bench_soak --quick

clean:
	rm -rf $(VENV)
