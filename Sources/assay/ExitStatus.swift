// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What the process says when it ends.
///
/// A promise to scripts: documented in the help text and in `Docs/commands.md`, and tested.
enum ExitStatus: Int32, CaseIterable {
  /// What was asked for is done.
  case done = 0
  /// Input, output, data or the machine failed.
  case failed = 1
  /// A checkpoint, record or study is of another configuration, or arms ran under conditions that must not be compared.
  case refused = 2
  /// The loss or the gradients stopped being finite, by the rule of the run.
  case diverged = 3
  /// A signal ended the run after its state was saved.
  case interrupted = 4
  /// The command line or the configuration is wrong; nothing was started.
  case usage = 64

  /// One line of the help text.
  var summary: String {
    switch self {
    case .done: "done"
    case .failed: "the run failed: input, output, data or the machine"
    case .refused:
      "refused: records of another configuration, or arms that differ"
    case .diverged: "diverged: loss or gradients not finite, or the loss above a limit"
    case .interrupted: "interrupted, but saved: the same command continues"
    case .usage: "the command line or the configuration is wrong; nothing was started"
    }
  }

  /// All codes, one a line.
  static var help: String {
    allCases.map { status in
      String(repeating: " ", count: 4 - String(status.rawValue).count)
        + "\(status.rawValue)  \(status.summary)"
    }.joined(separator: "\n")
  }

  /// The error that ends a command with this code and no further text.
  var exit: ExitCode { ExitCode(rawValue) }
}
