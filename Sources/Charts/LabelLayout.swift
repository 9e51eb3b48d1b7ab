// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Moves labels apart so that none covers another, as little as possible.
///
/// Minimises the sum of squared moves under a smallest distance between neighbours and inside bounds
/// (isotonic regression by pooling neighbours, then clipping).
///
/// - Parameters:
///   - wanted: the wanted places, in any order.
///   - distance: the smallest distance between two labels.
///   - bounds: the lowest and highest place; when there is no room for all, the distance shrinks.
/// - Returns: the places in the order given; labels keep the order of their wanted places.
func spread(
  _ wanted: [Double], distance: Double, bounds: ClosedRange<Double>
) -> [Double] {
  guard !wanted.isEmpty else { return [] }
  let room = bounds.upperBound - bounds.lowerBound
  let gap = wanted.count > 1 ? min(distance, room / Double(wanted.count - 1)) : 0
  let order = wanted.indices.sorted { (wanted[$0], $0) < (wanted[$1], $1) }

  // With place(i) = z(i) + i * gap the distances become z(i) <= z(i + 1).
  var pools: [(sum: Double, count: Int)] = []
  for (rank, index) in order.enumerated() {
    var pool = (sum: wanted[index] - Double(rank) * gap, count: 1)
    while let last = pools.last, last.sum / Double(last.count) > pool.sum / Double(pool.count) {
      pool = (pool.sum + last.sum, pool.count + last.count)
      pools.removeLast()
    }
    pools.append(pool)
  }
  let highest = max(bounds.lowerBound, bounds.upperBound - gap * Double(wanted.count - 1))
  var result = wanted
  var rank = 0
  for pool in pools {
    let z = min(max(pool.sum / Double(pool.count), bounds.lowerBound), highest)
    for _ in 0..<pool.count {
      result[order[rank]] = z + Double(rank) * gap
      rank += 1
    }
  }
  return result
}
