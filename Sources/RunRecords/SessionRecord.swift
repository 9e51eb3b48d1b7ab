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
  /// Where the run was made: each machine once, in the order of the sessions; one of which nothing was kept made nothing.
  public var machines: [MachineRecord] {
    let next = sessions.dropFirst().map(\.firstStep)
    let made = sessions.enumerated().filter { $0 >= next.count || next[$0] > $1.firstStep }
    return made.map(\.element.machine).withoutRepetitions
  }
}
