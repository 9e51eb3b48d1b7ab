// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Everything stored about a run but its metrics, read without a lock.
public struct RunRecord: Sendable {
  /// The folder.
  public let path: String
  /// The resolved configuration as TOML with origins.
  public let configurationText: String
  /// The resolved configuration as JSON.
  public let configurationJSON: Data
  /// The machine that the run was begun on.
  public let machine: MachineRecord
  /// The sessions that are known, the first one first; at least one.
  ///
  /// Those that went on with the run before sessions were noted are not among them.
  public let sessions: [SessionRecord]
  /// How the run stands or ended.
  public let outcome: RunOutcome
  /// Which trial of a study the run is; nil: of none.
  public let trial: TrialRecord?
  /// What has to be equal for another run to be compared with it; nil: killed before it was known.
  public let contract: FairnessContract?

  /// Reads a run.
  ///
  /// - Parameter path: the folder of a run.
  /// - Throws: ``RunRecordError`` when it is not a run, or a file is missing or damaged.
  public init(path: String) throws(RunRecordError) {
    guard RunFolder.isRun(path) else {
      throw RunRecordError(
        .notARun, "\(path) holds no run (no \(RunFolder.FileName.outcome)); check the path")
    }
    func file(_ name: String) -> String { path + "/" + name }
    self.path = path
    configurationText = String(
      decoding: try readFile(file(RunFolder.FileName.configurationText)), as: UTF8.self)
    configurationJSON = try readFile(file(RunFolder.FileName.configurationJSON))
    let machineFile = file(RunFolder.FileName.machine)
    machine = try jsonValue(MachineRecord.self, from: try readFile(machineFile), path: machineFile)
    let outcomeFile = file(RunFolder.FileName.outcome)
    outcome = try jsonValue(RunOutcome.self, from: try readFile(outcomeFile), path: outcomeFile)
    sessions =
      try Self.value([SessionRecord].self, at: file(RunFolder.FileName.sessions))
      ?? [SessionRecord(startTime: outcome.startTime, firstStep: 0, machine: machine)]
    trial = try Self.value(TrialRecord.self, at: file(RunFolder.FileName.trial))
    contract = try Self.value(FairnessContract.self, at: file(RunFolder.FileName.contract))
  }

  /// What a file holds; nil when there is none.
  private static func value<Value: Decodable>(
    _ type: Value.Type, at path: String
  ) throws(RunRecordError) -> Value? {
    guard access(path, F_OK) == 0 else { return nil }
    return try jsonValue(type, from: try readFile(path), path: path)
  }

  /// Opens the metrics for reading, from the first record.
  ///
  /// - Returns: a reader of its own.
  /// - Throws: ``RunRecordError`` when the file cannot be read.
  public func metrics() throws(RunRecordError) -> MetricsReader {
    try MetricsReader(path: path + "/" + RunFolder.FileName.metrics)
  }

  /// Opens the timings for reading, from the first record.
  ///
  /// - Returns: a reader of its own.
  /// - Throws: ``RunRecordError`` when the file cannot be read.
  public func timings() throws(RunRecordError) -> MetricsReader {
    try MetricsReader(path: path + "/" + RunFolder.FileName.timings)
  }

  /// Reads the trajectories.
  ///
  /// - Returns: what was recorded so far; nil when nothing was.
  /// - Throws: ``RunRecordError`` when the file is damaged before its last record.
  public func trajectories() throws(RunRecordError) -> TrajectoryRecord? {
    try TrajectoryRecord.read(run: path)
  }
}
