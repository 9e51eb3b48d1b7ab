// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The right to run the trials of a study: one process has it at a time.
///
/// The processes of trials inherit the lock. A runner that was killed leaves trials behind that still save and end, and until the
/// last of them has, nobody else can begin: no trial is ever written by two processes.
public final class StudyLock {
  private let lock: FolderLock

  /// The open file that holds the lock, for children to inherit.
  public var descriptor: Int32 { lock.descriptor }

  /// Takes the lock of a study's folder.
  ///
  /// - Parameters:
  ///   - path: the folder, which is there.
  ///   - secondsOfPatience: how long to wait for the trials of a runner that is gone.
  ///   - waiting: called once before waiting for them.
  /// - Throws: ``RunRecordError`` with code `locked` while another process runs the study, or when trials of one that is gone do
  ///   not end in time.
  public init(
    folder path: String, secondsOfPatience: Double = 120, waiting: () -> Void = {}
  ) throws(RunRecordError) {
    let start = ContinuousClock.now
    var isWaiting = false
    while true {
      do throws(RunRecordError) {
        lock = try FolderLock(folder: path, activity: "is running this study")
        return
      } catch {
        guard error.code == .locked, Self.isHolderGone(path) else { throw error }
        guard ContinuousClock.now - start < .seconds(secondsOfPatience) else {
          throw RunRecordError(
            .locked,
            "\(path): trials of an earlier session are still being saved; wait for them, or end the processes 'assay trial'"
          )
        }
      }
      if !isWaiting { waiting() }
      isWaiting = true
      usleep(20_000)
    }
  }

  /// Whether the process that took the lock has ended, though the lock is held.
  private static func isHolderGone(_ folder: String) -> Bool {
    let descriptor = open(folder + "/" + FolderLock.fileName, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    // Between taking the lock and writing the number there is none: somebody is at work.
    guard let process = pid_t(FolderLock.holder(descriptor)) else { return false }
    return kill(process, 0) != 0 && errno == ESRCH
  }

  /// Whether somebody runs the study, or its last trials are still being saved.
  public static func isHeld(folder path: String) -> Bool { FolderLock.isHeld(folder: path) }
}
