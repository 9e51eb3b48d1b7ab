// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import Statistics

/// The noise floor of a setup, measured before a study: the file `calibration.json`.
public struct Calibration: Codable, Equatable, Sendable {
  /// What was varied between replicates.
  public enum Varied: String, Codable, CaseIterable, Sendable {
    /// Initial weights and order of the data.
    case both
    /// Initial weights only.
    case initial
    /// Order of the data only.
    case data
  }
  /// The spread of one arm's final loss.
  public struct Spread: Codable, Equatable, Sendable {
    /// The variant.
    public var variant: String
    /// The arm.
    public var arm: String
    /// What was varied.
    public var varied: Varied
    /// Standard deviation in nats per token; nil below two replicates.
    public var deviation: Double?
    /// Its chi-square interval.
    public var interval: ConfidenceInterval?
    /// The final losses.
    public var losses: [Double]
    /// Mean of the losses.
    public var mean: Double?
    /// Replicates that diverged or failed; they are left out.
    public var failures: Int
  }
  /// How two arms move together over shared seeds.
  public struct Pair: Codable, Equatable, Sendable {
    /// The variant.
    public var variant: String
    /// The correlation.
    public var correlation: ArmCorrelation
  }
  /// The version of the file.
  public private(set) var format = 1
  /// The study, or the setup, that was calibrated.
  public var name: String
  /// One for each variant, arm and source of noise.
  public var spreads: [Spread]
  /// One for each variant and pair of arms, over replicates in which both sources were varied.
  public var pairs: [Pair]
  /// Seeds used: disjoint from those that tune and report.
  public var seeds: [Int]
  /// Hash of the conditions the runs were made under, by variant: identity of the setup.
  public var setup: [String: String]
  /// When it was measured.
  public var measuredAt: Date
  /// The revision of the code.
  public var revision: String
  /// The command that measured it.
  public var command: String
}
