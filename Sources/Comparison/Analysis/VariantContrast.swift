// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
public import Statistics

/// What an arm's difference to the baseline is over all variants, and whether it is another in each of them.
///
/// Losses of different variants are never pooled: both are weighted sums of the cells' means, with Satterthwaite's degrees of freedom.
/// No verdict stands on them, so they are not corrected for their number.
public struct VariantContrast: Codable, Equatable, Sendable {
  /// The arm.
  public var arm: String
  /// The variants, in the order of the declaration.
  public var variants: [String]
  /// sum over k variants of (arm - baseline) / k.
  public var mean: DifferenceTest
  /// (arm - baseline) in the last variant minus that in the first; nil with more than two.
  public var interaction: DifferenceTest?

  /// Measures one; nil with fewer than two variants, or where a cell has fewer than two replicates.
  init?(_ arm: String, baseline: String, _ variants: [VariantMeasurement], level: Double) {
    let cells = variants.compactMap { variant -> (own: [Double], base: [Double])? in
      guard let own = variant.arm(named: arm), let base = variant.arm(named: baseline) else {
        return nil
      }
      return (own.reporting.losses, base.reporting.losses)
    }
    guard cells.count == variants.count, cells.count > 1,
      cells.allSatisfy({ $0.own.count > 1 && $0.base.count > 1 })
    else { return nil }
    let samples = cells.flatMap { [$0.own, $0.base] }
    let share = 1 / Double(cells.count)
    self.arm = arm
    self.variants = variants.map(\.name)
    mean = Tests.contrast(
      samples, weights: cells.flatMap { _ in [share, -share] }, level: 1 - level)
    interaction =
      cells.count == 2
      ? Tests.contrast(samples, weights: [-1, 1, 1, -1], level: 1 - level) : nil
  }
}
