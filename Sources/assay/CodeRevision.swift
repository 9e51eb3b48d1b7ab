// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Studies

/// Which code this is, as records name it.
enum CodeRevision {
  /// The commit of the checkout that the executable lies in, with `+` after it when files were changed; `unknown` elsewhere.
  static func current() -> String {
    guard let folder = checkout(), let commit = git(folder, "rev-parse", "--short=12", "HEAD")
    else { return "unknown" }
    let changes = git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit + (changes?.isEmpty == false ? "+" : "")
  }

  private static func checkout() -> String? {
    var url = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
    while let folder = url, folder.path != "/" {
      let manager = FileManager.default
      if manager.fileExists(atPath: folder.path + "/Package.swift") {
        return manager.fileExists(atPath: folder.path + "/.git") ? folder.path : nil
      }
      url = folder.deletingLastPathComponent()
    }
    return nil
  }

  private static func git(_ folder: String, _ arguments: String...) -> String? {
    guard
      let child = try? ChildProcess(
        executable: "/usr/bin/env", arguments: ["git", "-C", folder] + arguments, input: "")
    else { return nil }
    var lines: [String] = []
    let start = ContinuousClock.now
    while child.end == nil, ContinuousClock.now - start < .seconds(5) {
      ChildProcess.wait(for: [child], milliseconds: 100)
      lines += child.takeLines()
    }
    return child.end == .exited(0) ? lines.joined(separator: "\n") : nil
  }
}
