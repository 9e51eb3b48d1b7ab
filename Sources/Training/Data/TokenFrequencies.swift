// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How often tokens occur in what a run trains on.
public struct TokenFrequencies: Sendable {
  /// Tokens that occur less often than this say little about their frequency.
  static let leastCount = 10
  /// The first so many targets of the run are counted.
  static let countedTargets = 1 << 20

  /// Occurrences by token id.
  public let counts: [Int]

  /// Frequencies that are known.
  public init(counts: [Int]) { self.counts = counts }

  /// Counts the targets of a run's first batches, and goes back to where the source was.
  ///
  /// - Parameters:
  ///   - source: at the start of the run.
  ///   - batch: room for a batch.
  ///   - targets: how many the run trains on.
  /// - Throws: an error when the data cannot be read.
  public init(_ source: any BatchSource, _ batch: StepBatch, targets: Int) throws {
    var counts = [Int](repeating: 0, count: source.vocabularySize)
    let start = source.position
    var read = 0
    while read < min(targets, Self.countedTargets) {
      try source.fill(batch)
      for target in batch.targets where target >= 0 { counts[Int(target)] += 1 }
      read += batch.count
    }
    try source.move(to: start)
    self.counts = counts
  }

  /// The slope of log rate on -1/2 log count, by least squares over the tokens that are frequent enough.
  ///
  /// - Parameters:
  ///   - rates: `[rows, n]`; of a token's n rates the mean logarithm counts.
  ///   - rows: one for each token id; ids without a count are passed over.
  /// - Returns: the slope; nil with fewer than three different counts.
  func slope(ofRates rates: UnsafeBufferPointer<Float>, rows: Int) -> Double? {
    let width = rates.count / rows
    guard width > 0 else { return nil }
    var points: [(x: Double, y: Double)] = []
    for token in 0..<min(rows, counts.count) where counts[token] >= Self.leastCount {
      let row = rates[token * width..<(token + 1) * width]
      let mean = row.reduce(0) { $0 + log(Double($1)) } / Double(width)
      if mean.isFinite { points.append((-0.5 * log(Double(counts[token])), mean)) }
    }
    guard Set(points.map(\.x)).count >= 3 else { return nil }
    let count = Double(points.count)
    let x = points.reduce(0) { $0 + $1.x } / count
    let y = points.reduce(0) { $0 + $1.y } / count
    let products = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
    return products / points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
  }
}
