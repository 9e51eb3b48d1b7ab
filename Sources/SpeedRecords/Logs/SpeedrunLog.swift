// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The log of one run of the NanoGPT speedrun (modded-nanogpt, Keller Jordan and contributors, 2024-2026).
///
/// ```
/// the complete source text
/// ==================================================================================================== (exactly 100)
/// versions, and for tracks 1 and 2 the screen of nvidia-smi, which has |====| lines of its own
/// ==================================================================================================== (exactly 100)
/// step:0/2000 val_loss:10.8354 train_time:0ms step_avg:0.02ms
/// step:1/2000 train_time:77ms step_avg:77.10ms
/// ...
/// step:2000/2000 val_loss:3.2793 train_time:122066ms step_avg:61.03ms
/// peak memory allocated: 29634 MiB reserved: 35856 MiB
/// ```
///
/// Older logs have a third separator, logs of standard output none, and a file may end without a newline or have Windows line ends; all
/// of these are read and written back as they were. A log of track 3 may hold several runs, see ``runs``. At step S the line of the validation comes before that of step S + 1.
public struct SpeedrunLog: Sendable {
  /// What is kept of a log.
  public enum Scope: Sendable {
    /// Events with a validation loss, and what the header tells: enough for records.
    case validations
    /// Everything, so that it can be written again.
    case everything
  }

  /// A line after the header.
  public enum Line: Equatable, Sendable {
    /// A measurement.
    case event(LogEvent)
    /// Anything else, as it stands.
    case text(String)
  }

  /// The file; for messages.
  public var path: String
  /// All bytes before the first event, with their line ends; empty unless everything is kept.
  public var head: Data
  /// Lines from the first event on; only events with a validation loss unless everything is kept.
  public var lines: [Line]
  /// The line end: `\n` or `\r\n`.
  public var lineEnd: String
  /// Whether the last line has its end.
  public var endsWithLineEnd: Bool
  /// The machine.
  public var machine: LogMachine
  /// What was fixed beforehand.
  public var registration: Registration?
  /// The last line of memory, for example `peak memory allocated: 29634 MiB reserved: 35856 MiB`.
  public var peakMemory: String?
  /// Lines of exactly 100 `=`.
  public var separatorCount: Int
  /// XXH64 of the whole file, in hexadecimal.
  public var checksum: String
  /// XXH64 of the source text, in hexadecimal; nil when there is none.
  public var sourceChecksum: String?

  /// Describes a log to be written.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - source: The source text of the run.
  ///   - header: Lines between the separators: versions, and the screen of nvidia-smi.
  ///   - events: Measurements in order.
  ///   - peakMemory: The last line; nil for track 3, which has none.
  public init(
    path: String, source: String, header: [String], events: [LogEvent], peakMemory: String? = nil
  ) {
    self.path = path
    var text = source
    if !text.hasSuffix("\n") { text += "\n" }
    text += Self.separator + "\n"
    for line in header { text += line + "\n" }
    text += Self.separator + "\n"
    head = Data(text.utf8)
    lines = events.map { .event($0) } + (peakMemory.map { [.text($0)] } ?? [])
    lineEnd = "\n"
    endsWithLineEnd = true
    machine = LogMachine()
    for line in header { machine.read(line) }
    self.peakMemory = peakMemory
    separatorCount = 2
    checksum = ""
    registration =
      source.split(separator: "\n").lazy.compactMap {
        Registration(line: String($0), origin: path)
      }.first
  }

  init(path: String) {
    self.path = path
    head = Data()
    lines = []
    lineEnd = "\n"
    endsWithLineEnd = true
    machine = LogMachine()
    separatorCount = 0
    checksum = ""
  }

  /// The line that stands before and after the header.
  public static let separator = String(repeating: "=", count: 100)

  /// The measurements.
  public var events: [LogEvent] {
    lines.compactMap { if case .event(let event) = $0 { event } else { nil } }
  }

  /// The measurements of each run: one, but for scripts that make several runs, one after the other, into one log.
  public var runs: [[LogEvent]] {
    var runs: [[LogEvent]] = []
    var previous = Int.max
    for event in events {
      if event.step < previous, event.step == 0 || runs.isEmpty { runs.append([]) }
      runs[runs.count - 1].append(event)
      previous = event.step
    }
    return runs
  }

  /// The last measurement with a validation loss.
  public var last: LogEvent? { events.last { $0.validationLoss != nil } }

  /// Whether the last validation was made after the last step.
  public var isComplete: Bool { last.map { $0.step >= $0.plannedSteps } ?? false }

  /// The whole file, byte for byte as it was read where everything was kept.
  public var data: Data {
    var result = head
    for (index, line) in lines.enumerated() {
      switch line {
      case .event(let event): result.append(contentsOf: event.description.utf8)
      case .text(let text): result.append(contentsOf: text.utf8)
      }
      if index < lines.count - 1 || endsWithLineEnd { result.append(contentsOf: lineEnd.utf8) }
    }
    return result
  }

  /// Writes the log.
  ///
  /// - Parameter path: The file; an old one is replaced.
  /// - Throws: ``SpeedRecordError`` with code `not-writable`.
  public func write(to path: String) throws(SpeedRecordError) {
    do {
      try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw SpeedRecordError(
        .notWritable, "\(path): cannot be written: \(error.localizedDescription)")
    }
  }
}
