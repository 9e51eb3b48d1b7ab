// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Holm's adjusted p-values (1979): the chance of any false claim in the family stays at the level.
///
/// The k-th smallest of m becomes max over j <= k of min(1, (m - j + 1) p_j).
///
/// - Parameter pValues: One for each claim of the family; NaN, which says nothing, counts as 1.
/// - Returns: Adjusted p-values in the same order; compare each with the level of the family.
public func holm(_ pValues: [Double]) -> [Double] {
  let clean = pValues.map { $0.isNaN ? 1 : $0 }
  let order = clean.indices.sorted { clean[$0] < clean[$1] }
  var adjusted = clean
  var running = 0.0
  for (rank, index) in order.enumerated() {
    running = max(running, min(1, Double(clean.count - rank) * clean[index]))
    adjusted[index] = running
  }
  return adjusted
}

/// Benjamini and Hochberg's adjusted p-values (1995): the expected share of false claims among those made stays at the level.
///
/// The k-th smallest of m becomes min over j >= k of min(1, m p_j / j). For exploration, not for claims.
///
/// - Parameter pValues: One for each question asked; NaN, which says nothing, counts as 1.
/// - Returns: Adjusted p-values in the same order.
public func benjaminiHochberg(_ pValues: [Double]) -> [Double] {
  let clean = pValues.map { $0.isNaN ? 1 : $0 }
  let order = clean.indices.sorted { clean[$0] < clean[$1] }
  var adjusted = clean
  var running = 1.0
  for (rank, index) in order.enumerated().reversed() {
    running = min(running, Double(clean.count) * clean[index] / Double(rank + 1))
    adjusted[index] = running
  }
  return adjusted
}
