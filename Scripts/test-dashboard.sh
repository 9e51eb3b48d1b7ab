#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Tests the page of `assay dashboard` in Chromium, which it installs where there is none. `make test` leaves these tests out.
#
# ASSAY_BROWSER_PICTURES=FOLDER also draws the page, light and dark, to look at.

set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/install-dependencies.sh --browser
swift build --build-tests
report=$(mktemp)
trap 'rm -f "$report"' EXIT
ASSAY_BROWSER=1 swift test --skip-build --filter BrowserTests 2>&1 | tee "$report"
# A suite that was skipped, or is no longer found, passes too.
if ! grep -q 'Test run with [1-9][0-9]* tests in 1 suite passed' "$report" || grep -qi 'skipped' "$report"; then
  printf 'error: the tests of the dashboard did not run in the browser\n' >&2
  exit 1
fi
