// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The folder of one run, opened for writing: no other process can write it at the same time.
///
///     configuration.toml   the resolved configuration with origins, for people
///     configuration.json   the same for programs
///     machine.json         the machine that the run was begun on
///     sessions.json        when, where and after how many steps each session began, once there is more than one
///     optimizer.json       what becomes of every parameter: group, method, rates, decay, state
///     contract.json        what has to be equal for another run to be compared with it
///     trial.json           which trial of a study it is, if it is one
///     metrics.jsonl        one record a line, only ever appended to: the same bits for the same configuration
///     trajectories.bin     values of small parameters at every step, norms and quantiles of the others
///     timings.jsonl        what clocks and memory counters say, in the same form
///     outcome.json         how the run stands or ended; its presence makes a folder a run
///     seal.json            checksums of the above, of a run that has ended
///     lock                 held while somebody writes
///
/// Everything an index or a report needs is in these files, so either can be rebuilt from the folders.
/// Checkpoints lie in the same folder but are none of this module's business.
public final class RunFolder {
  /// The names of the files in a run folder.
  public enum FileName {
    /// The resolved configuration with origins, for people.
    public static let configurationText = "configuration.toml"
    /// The resolved configuration, for programs.
    public static let configurationJSON = "configuration.json"
    /// The machine that the run was begun on.
    public static let machine = "machine.json"
    /// When and where each session began, of a run that was gone on with.
    public static let sessions = "sessions.json"
    /// What becomes of every parameter.
    public static let optimizer = "optimizer.json"
    /// The metrics.
    public static let metrics = "metrics.jsonl"
    /// Values of small parameters at every step.
    public static let trajectories = "trajectories.bin"
    /// How the run stands or ended.
    public static let outcome = "outcome.json"
    /// What has to be equal for two runs to be compared.
    public static let contract = "contract.json"
    /// What makes the run a trial of a study.
    public static let trial = "trial.json"
    /// What was measured with a clock or counts memory: all that differs between two runs of the same configuration.
    public static let timings = "timings.jsonl"
    /// Checksums of the files of a run that has ended.
    public static let seal = "seal.json"
  }

  /// The path of the folder.
  public let path: String

  private let lock: FolderLock

  private init(path: String, lock: FolderLock) {
    self.path = path
    self.lock = lock
  }

  // MARK: - Making and opening

  /// Makes a new run; its outcome is `running`.
  ///
  /// - Parameters:
  ///   - path: a path where nothing is, or an empty folder; folders above it are made.
  ///   - configurationText: the resolved configuration as TOML.
  ///   - configurationJSON: the resolved configuration as JSON.
  ///   - machine: the machine the run is made on.
  ///   - trial: which trial of a study the run is; `nil`: of none.
  ///   - startTime: when the run begins.
  /// - Returns: the folder, locked.
  /// - Throws: ``RunRecordError`` when something is in the place, or the disk is full or read-only; then
  ///   nothing remains of the attempt.
  public static func create(
    at path: String, configurationText: String, configurationJSON: Data,
    machine: MachineRecord = .current(), trial: TrialRecord? = nil, startTime: Date = Date()
  ) throws(RunRecordError) -> RunFolder {
    let made = try makeFolder(path)
    do throws(RunRecordError) {
      try requireEmpty(path)
      let lock = try FolderLock(folder: path)
      try requireEmpty(path)
      let folder = RunFolder(path: path, lock: lock)
      try folder.write(Data(configurationText.utf8), to: FileName.configurationText)
      try folder.write(configurationJSON, to: FileName.configurationJSON)
      try folder.write(
        try jsonData(machine, path: folder.file(FileName.machine)), to: FileName.machine)
      if let trial { try folder.write(trial) }
      try folder.write(Data(), to: FileName.metrics)
      try folder.write(Data(), to: FileName.timings)
      try folder.setOutcome(RunOutcome(status: .running, startTime: startTime))
      return folder
    } catch {
      if error.code != .alreadyExists, error.code != .locked { removeAttempt(path, made: made) }
      throw error
    }
  }

  /// Opens a run to go on with it.
  ///
  /// - Parameter path: the folder of a run.
  /// - Returns: the folder, locked.
  /// - Throws: ``RunRecordError`` when it is not a run, another process writes it, or it is read-only.
  public static func open(at path: String) throws(RunRecordError) -> RunFolder {
    try requireRun(path)
    let folder = RunFolder(path: path, lock: try FolderLock(folder: path))
    folder.removeRemains()
    return folder
  }

  /// Removes what a killed process left half-written.
  private func removeRemains() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasSuffix(partialSuffix) { unlink(file(name)) }
  }

  // MARK: - Looking at runs without opening them

  /// Whether a folder holds a run.
  public static func isRun(_ path: String) -> Bool {
    access(path + "/" + FileName.outcome, F_OK) == 0
  }

  /// Whether a process is writing a run now.
  public static func isBeingWritten(_ path: String) -> Bool {
    FolderLock.isHeld(folder: path)
  }

  /// The runs in a folder and the folders below it, sorted by path; nothing is sought inside a run.
  public static func find(under path: String) -> [String] {
    if isRun(path) { return [path] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.sorted().filter { !$0.hasPrefix(".") }.flatMap { find(under: path + "/" + $0) }
  }

  // MARK: - Writing

  /// Replaces a small file as a whole: after a crash it is the old one or the new one.
  ///
  /// - Parameters:
  ///   - data: the content.
  ///   - name: the name of the file in the folder.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only; the old file is kept.
  public func write(_ data: Data, to name: String) throws(RunRecordError) {
    try writeFileAtomically(data, to: file(name))
  }

  /// Stores which trial of a study the run is.
  ///
  /// - Parameter trial: what to store.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only.
  public func write(_ trial: TrialRecord) throws(RunRecordError) {
    try write(try jsonData(trial, path: file(FileName.trial)), to: FileName.trial)
  }

  /// Stores what has to be equal for another run to be compared with this one.
  ///
  /// - Parameter contract: what to store.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only.
  public func write(_ contract: FairnessContract) throws(RunRecordError) {
    try write(try jsonData(contract, path: file(FileName.contract)), to: FileName.contract)
  }

  /// Stores how the run stands.
  ///
  /// - Parameter outcome: what to store; times are stored in whole seconds.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only; the old outcome is kept.
  public func setOutcome(_ outcome: RunOutcome) throws(RunRecordError) {
    let data = try jsonData(outcome, path: file(FileName.outcome))
    try write(data, to: FileName.outcome)
  }

  /// How the run stands.
  ///
  /// - Returns: the stored outcome.
  /// - Throws: ``RunRecordError`` when the file is missing or damaged.
  public func outcome() throws(RunRecordError) -> RunOutcome {
    try record().outcome
  }

  /// Opens the metrics for appending.
  ///
  /// - Parameter retention: which of the records that are there to keep.
  /// - Returns: the only writer there should be; it must not outlive this folder.
  /// - Throws: ``RunRecordError`` when the metrics are damaged or cannot be written.
  public func metricsWriter(
    keeping retention: MetricsRetention
  ) throws(RunRecordError) -> MetricsWriter {
    try MetricsWriter(path: file(FileName.metrics), keeping: retention)
  }

  /// Opens the timings for appending.
  ///
  /// - Parameter retention: which of the records that are there to keep.
  /// - Returns: the only writer there should be; it must not outlive this folder.
  /// - Throws: ``RunRecordError`` when the timings are damaged or cannot be written.
  public func timingsWriter(
    keeping retention: MetricsRetention
  ) throws(RunRecordError) -> MetricsWriter {
    try MetricsWriter(path: file(FileName.timings), keeping: retention)
  }

  /// Opens the trajectories for appending.
  ///
  /// - Parameters:
  ///   - header: what is going to be recorded.
  ///   - bytes: how much of what is there to keep.
  /// - Returns: the only writer there should be; it must not outlive this folder.
  /// - Throws: ``RunRecordError`` when the file was changed or cannot be written.
  public func trajectoryWriter(
    _ header: TrajectoryHeader, keepingBytes bytes: Int
  ) throws(RunRecordError) -> TrajectoryWriter {
    try TrajectoryWriter(path: file(FileName.trajectories), header: header, keepingBytes: bytes)
  }

  /// Cuts the trajectories back for a session that records none.
  ///
  /// - Parameter bytes: how much of what is there to keep; the file is removed where that is nothing.
  /// - Returns: how much is kept; nil when there are none.
  /// - Throws: ``RunRecordError`` when the file was changed or cannot be cut.
  public func cutTrajectories(keepingBytes bytes: Int) throws(RunRecordError) -> Int? {
    try TrajectoryWriter.cut(file(FileName.trajectories), keepingBytes: bytes)
  }

  /// What is stored about the run.
  ///
  /// - Returns: everything but metrics, timings and trajectories.
  /// - Throws: ``RunRecordError`` when a file is missing or damaged.
  public func record() throws(RunRecordError) -> RunRecord {
    try RunRecord(path: path)
  }

  /// The path of a file in the folder.
  public func file(_ name: String) -> String { path + "/" + name }

  // MARK: - Steps of making

  /// Makes a folder and those above it; `false` when it was there.
  private static func makeFolder(_ path: String) throws(RunRecordError) -> Bool {
    if mkdir(path, 0o755) == 0 { return true }
    switch errno {
    case EEXIST: return false
    case ENOENT where parent(of: path) != path && parent(of: path) != ".":
      _ = try makeFolder(parent(of: path))
      guard mkdir(path, 0o755) == 0 else {
        if errno == EEXIST { return false }
        throw .system("be made", path, errno: errno)
      }
      return true
    default: throw .system("be made", path, errno: errno)
    }
  }

  private static func requireEmpty(_ path: String) throws(RunRecordError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw RunRecordError(
        .alreadyExists, "\(path) is a file; choose another folder for the run")
    }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw RunRecordError(.notWritable, "\(path): cannot be listed; check its permissions")
    }
    if names.contains(FileName.outcome) {
      throw RunRecordError(
        .alreadyExists,
        "\(path): there is a run already; resume it or choose another folder")
    }
    // A process that was killed while it made a run has left its lock and some of its files, and nothing else.
    let attempt = Set(filesOfAttempt + filesOfAttempt.map { $0 + partialSuffix })
    if names.contains(FolderLock.fileName), names.allSatisfy(attempt.contains) { return }
    if names.contains(where: { $0 != FolderLock.fileName }) {
      throw RunRecordError(
        .alreadyExists, "\(path) is not empty and holds no run; choose another folder")
    }
  }

  private static func requireRun(_ path: String) throws(RunRecordError) {
    guard isRun(path) else {
      let isThere = access(path, F_OK) == 0
      throw RunRecordError(
        .notARun,
        isThere
          ? "\(path) holds no run (no \(FileName.outcome)); check the path"
          : "\(path): there is no such folder; check the path")
    }
  }

  /// Removes what a failed creation left behind, and nothing else.
  private static func removeAttempt(_ path: String, made: Bool) {
    for name in filesOfAttempt { unlink(path + "/" + name) }
    if made { rmdir(path) }
  }

  /// What ``create(at:configurationText:configurationJSON:machine:trial:startTime:)`` writes.
  private static let filesOfAttempt = [
    FileName.configurationText, FileName.configurationJSON, FileName.machine, FileName.trial,
    FileName.metrics, FileName.timings, FileName.outcome, FolderLock.fileName,
  ]
}
