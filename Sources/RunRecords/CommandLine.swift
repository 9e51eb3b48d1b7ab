// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Words as a person types them into a shell: quoted where a shell would take them apart.
public func commandLine(_ words: [String]) -> String {
  words.map { word in
    let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy { plainScalars.contains($0) }
    return isPlain
      ? word
      : "'"
        + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        + "'"
  }.joined(separator: " ")
}

/// What no shell gives a meaning of its own inside a word.
private let plainScalars = Set(
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%".unicodeScalars)
