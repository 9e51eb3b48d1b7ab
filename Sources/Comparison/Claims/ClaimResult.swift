// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords
public import Statistics

/// What the records say about a claim.
public struct ClaimResult: Codable, Equatable, Sendable {
  /// The outcomes.
  public enum Outcome: String, Codable, CaseIterable, Sendable {
    /// Shown, at the level of its family.
    case holds
    /// Its opposite is shown, at the level of its family.
    case fails
    /// Neither can be shown with so many replicates.
    case notDistinguishable = "not-distinguishable"
    /// Trials that it needs are missing or have no result.
    case noData = "no-data"
  }
  /// The claim's name; with the variant behind it where it is made in several.
  public var name: String
  /// The claim as declared.
  public var claim: Claim
  /// The variant, or both: `plain, standard`.
  public var variant: String
  /// The outcome.
  public var outcome: Outcome
  /// The left quantity, factor included.
  public var left: Estimate
  /// The right quantity, factor included; nil when compared with a number.
  public var right: Estimate?
  /// Left minus right (or minus `value`), with its interval.
  public var difference: Estimate
  /// The number that `difference` is compared with: margin or value.
  public var threshold: Double?
  /// p of the claim: small when it holds.
  public var pValue: Double?
  /// The same after Holm's correction over the family.
  public var adjustedPValue: Double?
  /// p of the opposite: small when it fails.
  public var oppositePValue: Double?
  /// The same after Holm's correction over the family.
  public var adjustedOppositePValue: Double?
  /// How replicates were compared; nil without a test.
  public var method: DifferenceTest.Method?
  /// The result in a sentence.
  public var text: String
}
