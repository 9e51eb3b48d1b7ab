// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder for the records of a process that is not the first of its run: it does all that the first does, so that both look at the same
/// tensors at the same time, and nobody reads what it writes.
final class FollowerFolder {
  /// A run's folder, beside others of the system's temporary files.
  let path: String
  private let parent: String

  /// Makes the folder that the run's is to lie in.
  ///
  /// - Throws: Errors of the file system.
  init() throws {
    parent = NSTemporaryDirectory() + "assay-process-" + UUID().uuidString
    path = parent + "/run"
    try FileManager.default.createDirectory(
      atPath: parent, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: parent) }
}
