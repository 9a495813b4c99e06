# A thin face over meson and ninja.  `make help` lists the targets.
BUILD ?= build
PYTHON ?= $(shell for p in python3 /usr/bin/python3; do $$p -c 'import pytest' 2>/dev/null && echo $$p && break; done)
PYTEST = $(or $(PYTHON),/usr/bin/python3) -m pytest -p no:cacheprovider
LIMPET = $(abspath $(BUILD))/limpet

all: $(BUILD)/limpet		## build build/limpet

# ninja decides what is to be built; meson is asked only once.
$(BUILD)/limpet: FORCE | $(BUILD)/build.ninja
	@ninja -C $(BUILD) limpet

$(BUILD)/build.ninja:
	@tools/install-deps build
	meson setup $(BUILD) $(MESON_FLAGS)

deps:				## install what is missing (Debian packages)
	@tools/install-deps

unit: | $(BUILD)/build.ninja	## unit tests: seconds, no Go, no ptrace
	@ninja -C $(BUILD)
	meson test -C $(BUILD) --print-errorlogs

rooms:				## who includes what, and the style that a machine can see
	$(or $(PYTHON),python3) tools/check-rooms

# PYTEST is expanded late: pytest may have been installed by `deps` a moment ago.
check: deps			## rooms, build, unit tests and the quick end-to-end set: minutes
	@$(MAKE) --no-print-directory rooms all static unit e2e e2e-static

e2e: deps all
	LIMPET=$(LIMPET) $(PYTEST) tests/e2e -m "not full"

# The static file answers like the other: what it is to say, how it fails, and a few programs.
e2e-static: deps static
	LIMPET=$(LIMPET)-static $(PYTEST) tests/e2e/test_contract.py tests/e2e/test_errors.py tests/e2e/test_verify.py \
		tests/e2e/test_core_handler.py -m "not full" \
		-k "contract or errors or pie or cgo-1.27 or program_dies or no_core"

check-all: deps			## everything: every program on every Go version, long stress
	@$(MAKE) --no-print-directory rooms all static static-arm64 unit unit-arm64
	@$(MAKE) --no-print-directory fault
	@LIMPET=$(LIMPET) LIMPET_FULL=1 $(PYTEST) tests/e2e
	@LIMPET=$(LIMPET)-static LIMPET_FULL=1 $(PYTEST) tests/e2e

fault: deps all			## what a snapshot must never do to a program, case by case
	@ninja -C $(BUILD)
	GO=$$(tools/go-toolchain --minor 1.26) $(or $(PYTHON),/usr/bin/python3) tests/fault/run.py $(BUILD)

demo: deps all			## a leaking server, looked into
	@LIMPET=$(LIMPET) $(or $(PYTHON),/usr/bin/python3) tests/e2e/demo.py

# One file that needs nothing of the machine it is copied to.  The build folders keep it unstripped.
static: $(BUILD)/limpet-static		## one static file, build/limpet-static
static-arm64: $(BUILD)/limpet-static-arm64	## the same for arm64: it reads files

$(BUILD)/limpet-static: FORCE
	@tools/install-deps static
	@[ -e build-static/build.ninja ] || meson setup build-static -Dstatic=true $(MESON_FLAGS)
	@ninja -C build-static limpet
	@[ $@ -nt build-static/limpet ] || { mkdir -p $(BUILD) && strip -o $@.part build-static/limpet && mv $@.part $@; }

$(BUILD)/limpet-static-arm64: FORCE
	@tools/install-deps static-arm64
	@tools/sysroot-arm64 build-sysroot-arm64
	@[ -e build-static-arm64/build.ninja ] || meson setup build-static-arm64 -Dstatic=true \
		--cross-file build-sysroot-arm64/cross.ini $(MESON_FLAGS)
	@ninja -C build-static-arm64 limpet
	@mkdir -p $(BUILD) && aarch64-linux-gnu-strip -o $@.part build-static-arm64/limpet && mv $@.part $@

# Compiled for arm64, and the tests that need no ptrace run by qemu: all of them.
unit-arm64:				## unit tests as arm64 programs
	@tools/install-deps static-arm64
	@tools/sysroot-arm64 build-sysroot-arm64
	@[ -e build-arm64/build.ninja ] || meson setup build-arm64 \
		--cross-file build-sysroot-arm64/cross.ini $(MESON_FLAGS)
	@ninja -C build-arm64
	meson test -C build-arm64 --print-errorlogs --timeout-multiplier 10

# One build folder a sanitizer.  PTRACE and LeakSanitizer exclude each other, so leaks are looked for
# in the unit tests alone.
SANITIZERS = UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1
asan: MESON_FLAGS = -Db_sanitize=address
ubsan: MESON_FLAGS = -Db_sanitize=undefined
tsan: MESON_FLAGS = -Db_sanitize=thread
asan ubsan tsan: deps		## unit tests and quick end-to-end set under a sanitizer
	@[ -e build-$@/build.ninja ] || meson setup build-$@ $(MESON_FLAGS)
	@ninja -C build-$@
	ASAN_OPTIONS=allocator_may_return_null=1 $(SANITIZERS) \
		meson test -C build-$@ --print-errorlogs --timeout-multiplier 10
	ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0 $(SANITIZERS) \
		LIMPET=$(abspath build-$@)/limpet LIMPET_SANITIZER=$@ $(PYTEST) tests/e2e -m "not full"

# A lying target, refused allocations, and libFuzzer on all that parses crafted bytes (tests/fuzz/README.md).
fuzz:				## half a minute each, with clang
	@tools/install-deps fuzz
	@[ -e build-fuzz/build.ninja ] || CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
		-Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
	@ninja -C build-fuzz
	for f in core proc exe dwarf functab layout gcprog pclntab types coderefs cont span dump store gclog pprof pprof_views gotext escape lint mix; do \
		UBSAN_OPTIONS=halt_on_error=1 build-fuzz/tests/fuzz/fuzz_$$f -max_total_time=30 || exit 1; done

bench: deps all			## the table of bench/README.md
	@LIMPET=$(LIMPET) python3 bench/run

bench-findings: deps all	## precision and recall of every kind of finding, on three Go versions
	@LIMPET=$(LIMPET) $(or $(PYTHON),/usr/bin/python3) bench/findings

bench-check: deps all		## 12 leaking and 12 healthy servers through `limpet check`, 5 times: half an hour
	@LIMPET=$(LIMPET) $(or $(PYTHON),/usr/bin/python3) bench/check_bench.py

fmt:				## clang-format over all C
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:				## remove what was built
	rm -rf build build-asan build-ubsan build-tsan build-fuzz build-static build-static-arm64 build-arm64

distclean: clean
	rm -rf tests/.cache build-sysroot-arm64

help:
	@sed -n 's/^\([a-z][a-z0-9 -]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 18

.NOTPARALLEL:
FORCE:
bench-pprof: deps all		## 1 GB of profiles through limpet, a tenth of it beside go tool pprof: minutes
	@LIMPET=$(LIMPET) $(or $(PYTHON),/usr/bin/python3) bench/pprof_bench.py

.PHONY: bench-pprof all static static-arm64 deps unit unit-arm64 rooms check e2e e2e-static check-all demo fault asan ubsan tsan bench bench-findings bench-check fmt clean distclean help FORCE
