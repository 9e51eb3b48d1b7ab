// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import Configurations
import Foundation
import LanguageModels
import Optimizers
import Schedules
import TensorGraph

/// How an error that reached the top ends the process: one line that says what to do, and a code.
struct Failure {
  /// What to print; nil when everything is said.
  let message: String?
  /// The process's exit code.
  let code: Int32
  /// Whether the message is what the user asked for (help, version).
  private let isAnswer: Bool

  /// Reads an error.
  init(_ error: any Error) {
    if let code = error as? ExitCode {
      (message, self.code, isAnswer) = (nil, code.rawValue, false)
    } else if let status = Self.status(error) {
      (message, code, isAnswer) = (Self.text(error), status.rawValue, false)
    } else if Assay.exitCode(for: error) == .success {
      (message, code, isAnswer) = (Assay.fullMessage(for: error), 0, true)
    } else if Assay.exitCode(for: error) == .validationFailure {
      (message, code, isAnswer) = (Self.usage(error), ExitStatus.usage.rawValue, false)
    } else {
      (message, code, isAnswer) = (Self.text(error), ExitStatus.failed.rawValue, false)
    }
  }

  /// Says it and ends the process.
  func exit() -> Never {
    if let message {
      if isAnswer { Console.data(message) } else { Console.say("error: " + message) }
    }
    Foundation.exit(code)
  }

  /// The code of an error of ours; nil for errors of others.
  private static func status(_ error: any Error) -> ExitStatus? {
    switch error {
    case let failure as CommandFailure: failure.status
    case is ConfigurationError, is ModelError, is OptimizerError, is ScheduleError, is GraphError:
      .usage
    case let error as RuntimeError: error.code == .setting ? .usage : .failed
    default: nil
    }
  }

  private static func text(_ error: any Error) -> String {
    switch error {
    case let error as any CustomStringConvertible & Error: error.description
    default: error.localizedDescription
    }
  }

  /// The parser's message as one line, with the command whose help explains more.
  private static func usage(_ error: any Error) -> String {
    let message = Assay.message(for: error).replacingOccurrences(of: "\n", with: " ")
    let help = Assay.fullMessage(for: error).split(separator: "'").first { $0.hasSuffix(" --help") }
    let end = message.last.map { ".?!".contains($0) } == true ? "" : ";"
    let text = message.prefix(1).lowercased() + message.dropFirst()
    return text + end + (help.map { " see '\($0)'" } ?? "")
  }
}

/// An error of the command itself.
struct CommandFailure: Error, CustomStringConvertible {
  /// How the process ends.
  let status: ExitStatus
  /// What happened, with the value, and what to do.
  let description: String

  /// Makes an error.
  init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }
}
