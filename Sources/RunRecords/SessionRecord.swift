// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// One session of a run: a process that began it or went on with it; an entry of the file `sessions.json`.
public struct SessionRecord: Codable, Equatable, Sendable {
  /// When the session began; whole seconds are stored.
  public var startTime: Date
  /// Steps that were made before it, and kept.
  public var firstStep: Int
  /// Where it ran.
  public var machine: MachineRecord

  /// Describes a session.
  public init(startTime: Date = Date(), firstStep: Int, machine: MachineRecord) {
    self.startTime = startTime
    self.firstStep = firstStep
    self.machine = machine
  }
}

extension RunFolder {
  /// Notes a session that goes on with the run.
  ///
  /// - Parameter session: the session, which follows all that are noted.
  /// - Throws: ``RunRecordError`` when a file is damaged, or the disk is full or read-only.
  public func add(_ session: SessionRecord) throws(RunRecordError) {
    let path = file(FileName.sessions)
    try RecordFile.write(try record().sessions + [session], to: path)
  }
}

extension RunRecord {
  /// Where the run was made: each machine once, in the order of the sessions.
  public var machines: [MachineRecord] { sessions.map(\.machine).withoutRepetitions }
}

extension Sequence where Element: Equatable {
  /// Every element once, where it comes first.
  public var withoutRepetitions: [Element] {
    reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
