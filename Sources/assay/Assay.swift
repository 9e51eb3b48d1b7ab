// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// The command: verbs as subcommands.
struct Assay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assay",
    abstract: "Trains small language models exactly and quickly, and compares their optimizers.",
    discussion: """
      Human text goes to standard error, data to standard output.

      Exit codes:
      \(ExitStatus.help)
      """,
    version: "assay 0.1.0",
    subcommands: [
      CompareCommand.self, CalibrateCommand.self, ClaimsCommand.self,
      TrainCommand.self, TrialCommand.self, PlanCommand.self, ExportCommand.self,
      SampleCommand.self,
      DataCommand.self, ShowCommand.self, ListCommand.self, RunsCommand.self, IndexCommand.self,
      ReportCommand.self, ScalarsCommand.self, DashboardCommand.self, RecordsCommand.self,
      TraceCommand.self,
      DoctorCommand.self, BenchCommand.self,
    ])
}

@main
enum Main {
  static func main() {
    // A file that reaches the size limit of the process is an error that is reported, not a death.
    signal(SIGXFSZ, SIG_IGN)
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      var command = try Assay.parseAsRoot(Overrides.folded(arguments))
      try command.run()
    } catch {
      Failure(error).exit()
    }
  }
}
