// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import Comparison
import Configurations
import Dashboard
import Downloads
import Foundation
import LanguageModels
import Optimizers
import Reports
import RunIndex
import RunRecords
import Schedules
import SpeedRecords
import Studies
import TensorFiles
import TensorGraph
import TextData
import Training
import XLARuntime

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
    case let error as XLAError: error.code == .setting ? .usage : .failed
    case let error as DataError: status(error.code)
    case let error as DownloadError: error.code == .invalidOption ? .usage : .failed
    case let error as RunRecordError: status(error.code)
    case let error as ComparisonError: error.code == .noRecords ? .failed : .refused
    case is StudyRefusal: .refused
    case is StudyMistake, is ProtocolError: .usage
    case is ChildProcessError, is ReportError: .failed
    case let error as TrainingError: status(error.code)
    case let error as DashboardError: error.code == .server ? .failed : .usage
    case let error as SpeedRecordError: status(error.code)
    case let error as RunIndexError: error.code == .database ? .failed : .usage
    case is TensorFileError: .failed
    default: nil
    }
  }

  private static func status(_ code: DataError.Code) -> ExitStatus {
    switch code {
    case .invalidOption, .unsupportedTokenizer: .usage
    case .emptyText, .binaryText, .unreadableFile, .unsupportedInput, .malformedLine,
      .malformedTokenizer, .vocabularyMismatch, .corruptData, .truncatedData, .wrongFormat,
      .wrongVersion, .tooFewDocuments, .tooShort, .outputExists, .diskFull, .notWritable,
      .writeFailed:
      .failed
    }
  }

  private static func status(_ code: RunRecordError.Code) -> ExitStatus {
    switch code {
    case .alreadyExists: .refused
    case .notARun, .locked, .notWritable, .diskFull, .damaged, .systemFailure: .failed
    }
  }

  private static func status(_ code: SpeedRecordError.Code) -> ExitStatus {
    switch code {
    case .malformed: .usage
    case .duplicate, .incomparable: .refused
    case .unreadable, .damagedLog, .truncatedLog, .unfinishedRun, .damagedPack, .notWritable:
      .failed
    }
  }

  private static func status(_ code: TrainingError.Code) -> ExitStatus {
    switch code {
    case .runFolder: .refused
    case .request: .usage
    case .data, .weights, .checkpoint, .file, .batch: .failed
    }
  }

  private static func text(_ error: any Error) -> String {
    if let error = error as? DataError, error.code == .outputExists {
      return error.message + " The option is '--replace'."
    }
    return status(error) == nil ? error.localizedDescription : "\(error)"
  }

  /// The parser's message as one line, with the nearest verb and the command whose help explains more.
  private static func usage(_ error: any Error) -> String {
    let message = Assay.message(for: error).replacingOccurrences(of: "\n", with: " ")
    let pieces = Assay.fullMessage(for: error).components(separatedBy: "'")
    let help = pieces.first { $0.hasSuffix(" --help") }
    var text = message.prefix(1).lowercased() + message.dropFirst()
    while text.last == "." { text.removeLast() }
    let quoted = message.components(separatedBy: "'")
    if message.hasPrefix("Unexpected argument"), quoted.count > 1, let help {
      let known = subcommands(
        of: help.split(separator: " ").dropFirst().dropLast().map(String.init))
      if let near = nearest(to: quoted[1], among: known) { text += "; did you mean '\(near)'?" }
    }
    return text + (text.last == "?" ? "" : ";") + (help.map { " see '\($0)'" } ?? "")
  }

  /// The names of the subcommands of a command, found by its path.
  private static func subcommands(of path: [String]) -> [String] {
    var command: any ParsableCommand.Type = Assay.self
    for name in path {
      let found = command.configuration.subcommands.first { $0.configuration.commandName == name }
      guard let found else { return [] }
      command = found
    }
    return command.configuration.subcommands.compactMap { $0.configuration.commandName }
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
