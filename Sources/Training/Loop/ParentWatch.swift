// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Asks a run to end when the process that started it is gone.
///
/// A process whose parent has died is given another one, on every Unix. (Linux could send a signal instead, but when the
/// thread that started the child ends, which says nothing about its process.)
public enum ParentWatch {
  /// How long an orphan may go unnoticed.
  static let seconds = 0.2

  /// Watches until the end of this process.
  ///
  /// - Parameter stop: is requested when the parent of now is no longer the parent.
  public static func start(_ stop: StopRequest) {
    let parent = getppid()
    Thread.detachNewThread {
      while getppid() == parent { Thread.sleep(forTimeInterval: seconds) }
      stop.request()
    }
  }
}
