// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Counts the pieces of text that pairs merge within.
///
/// Confined to one thread at a time; Sendable to be handed from the thread that counted to the one that joins the counts.
final class WordCounter: @unchecked Sendable {
  let table = WordTable(capacity: 1 << 16)
  private(set) var counts: [Int] = []

  /// Counts the pieces of one document.
  func add(_ document: UnsafeRawBufferPointer) {
    guard let base = document.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let splitter = WordSplitter(bytes: base, count: document.count)
    var start = 0
    while start < document.count {
      let end = splitter.end(from: start)
      add(base + start, end &- start, WordTable.hash(base + start, end &- start), 1)
      start = end
    }
  }

  /// Adds the counts of another counter.
  func add(_ other: WordCounter) {
    for (index, word) in other.table.words.enumerated() {
      let bytes = other.table.bytes(index)
      guard let base = bytes.baseAddress else { continue }
      add(base, bytes.count, word.hash, other.counts[index])
    }
  }

  @inline(__always)
  private func add(_ word: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64, _ times: Int) {
    let index = table.insert(word, count, hash: hash)
    if index == counts.count { counts.append(times) } else { counts[index] &+= times }
  }
}
