// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension SyntheticProcess {
  /// Entropy of z in nats: the loss of the best model that looks at no word before.
  public var unigramEntropy: Double { unigram.reduce(0) { $0 - $1 * log($1) } }

  /// The entropy rate H in nats per token, by the finite sum over classes of the words before.
  ///
  /// - Complexity: O(classes^order vocabulary) logarithms.
  public var entropyRate: Double {
    let count = options.classes
    let part = options.share / Double(options.order)
    let states = options.order == 1 ? classWeight : stationaryPairs()
    var entropy = 0.0
    var base = [Double](repeating: 0, count: words)
    for last in 0..<count {
      for word in 0..<words {
        base[word] =
          (1 - options.share) * unigram[word] + part * preferences[0][last * words + word]
      }
      if options.order == 1 {
        entropy += states[last] * Self.entropy(base)
        continue
      }
      preferences[1].withUnsafeBufferPointer { second in
        base.withUnsafeBufferPointer { base in
          for other in 0..<count {
            var sum = 0.0
            for word in 0..<words {
              let chance = base[word] + part * second[other * words + word]
              sum -= chance * log(chance)
            }
            entropy += states[last * count + other] * sum
          }
        }
      }
    }
    return entropy
  }

  private static func entropy(_ chances: [Double]) -> Double {
    chances.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
  }

  /// The stationary distribution of (class of the last word, class of the one before), `[last * classes + before]`.
  ///
  /// Power iteration from independent classes; whatever the share, each step forgets by at least that factor, and far
  /// faster in practice.
  func stationaryPairs() -> [Double] {
    let count = options.classes
    let part = options.share / 2
    // Sums of q over classes: the chance of the next word's class.
    let next = preferences.map { table in
      var sums = [Double](repeating: 0, count: count * count)
      for row in 0..<count {
        for word in 0..<words { sums[row * count + classOfWord[word]] += table[row * words + word] }
      }
      return sums
    }
    var pairs = [Double](repeating: 0, count: count * count)
    for last in 0..<count {
      for before in 0..<count {
        pairs[last * count + before] = classWeight[last] * classWeight[before]
      }
    }
    for _ in 0..<1000 {
      let moved = Self.advance(pairs, next, classWeight, part)
      let change = zip(moved, pairs).reduce(0) { $0 + abs($1.0 - $1.1) }
      pairs = moved
      if change < 1e-14 { break }
    }
    return pairs
  }

  private static func advance(
    _ pairs: [Double], _ next: [[Double]], _ classWeight: [Double], _ part: Double
  ) -> [Double] {
    let count = classWeight.count
    var moved = [Double](repeating: 0, count: pairs.count)
    moved.withUnsafeMutableBufferPointer { moved in
      pairs.withUnsafeBufferPointer { pairs in
        next[0].withUnsafeBufferPointer { first in
          next[1].withUnsafeBufferPointer { second in
            for last in 0..<count {
              // Both classes decide the next one, but only the last stays in the state.
              var whole = 0.0
              for before in 0..<count { whole += pairs[last * count + before] }
              for new in 0..<count {
                var sum =
                  whole * (part * first[last * count + new] + (1 - 2 * part) * classWeight[new])
                for before in 0..<count {
                  sum += part * pairs[last * count + before] * second[before * count + new]
                }
                moved[new * count + last] = sum
              }
            }
          }
        }
      }
    }
    return moved
  }
}
