// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `assay show`.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract:
      "Shows a configuration, its schedule, its programs, a run, its loss curve, or an optimizer.",
    subcommands: [
      ShowConfig.self, ShowSchedule.self, ShowProgram.self, ShowRun.self, ShowCurve.self,
      ShowOptimizer.self,
    ])
}
