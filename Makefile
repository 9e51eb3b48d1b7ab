# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Every target is one script, so that nothing needs make itself.

.PHONY: quickstart test test-xla build format lint bench clean

quickstart: ; @Scripts/quickstart.sh
test: ; @Scripts/test.sh
test-xla: ; @Scripts/test-xla.sh
build: ; @Scripts/build.sh
format: ; @Scripts/format.sh
lint: ; @Scripts/lint.sh
bench: ; @Scripts/bench.sh
clean: ; @Scripts/clean.sh
