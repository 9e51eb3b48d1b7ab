// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `assay show curve`.
struct ShowCurve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curve", abstract: "Draws the loss of one run or more as SVG.")
}
