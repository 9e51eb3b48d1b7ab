// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics

/// By which rules a record is judged, and with which numbers; nothing has a value that nobody asked for.
public struct RecordRules: Codable, Equatable, Sendable {
  /// What a hundred steps are worth, and where that is from.
  public enum Exchange: Codable, Equatable, Sendable {
    /// Nobody said; pairwise rules take sets of equal lengths only.
    case none
    /// Measured on two sets of one recipe and two lengths.
    case measured(shorter: RunSet, longer: RunSet)
    /// A number, in nats for 100 steps, and whose it is.
    case given(perHundredSteps: Double, origin: String)

    /// The sets that the rate is measured on.
    var sets: [RunSet] {
      if case .measured(let first, let second) = self { return [first, second] }
      return []
    }
  }

  /// The loss to reach, in nats per token; nil: sets are only compared with each other.
  public var target: Double?
  /// Level of the one-sided t tests.
  public var level = 0.01
  /// Coverage of intervals.
  public var confidence = 0.95
  /// Threshold of the z and the pairwise rule in nats; nil: these rules are not asked for.
  public var threshold: Double?
  /// The deviation of a run's loss that the threshold assumes; nil: not known.
  public var deviation: Double?
  /// What steps are worth.
  public var exchange = Exchange.none
  /// How many runs were fixed beforehand, by the name of the set; replaces what runs say.
  public var plannedRuns: [String: Int] = [:]
  /// Seeds that took part in choosing hyperparameters, beside those that runs know of; the seed of the initial weights decides.
  public var tunedOn: Set<RunSeed> = []
  /// Chance of passing that required numbers of runs are for.
  public var power = 0.8

  /// Rules without target, threshold and exchange rate.
  public init() {}

  /// The rules of one of the speedrun's tracks, with their published numbers.
  ///
  /// Tracks 1 and 2 ask a one-sided t test at 0.01 that the mean is below 3.28 and 2.92. Track 3 asks (3.28 - mean) sqrt(n) >= 0.004, with
  /// a deviation of 0.0013, and takes 0.0045 nats for 100 steps (modded-nanogpt, 2024-2026).
  ///
  /// - Parameter track: 1, 2 or 3.
  public init?(track: Int) {
    switch track {
    case 1: target = 3.28
    case 2: target = 2.92
    case 3:
      target = 3.28
      threshold = SpeedrunRules.publishedThreshold
      deviation = 0.0013
      exchange = Self.publishedExchange
    default: return nil
    }
  }

  /// The threshold of a known deviation: its 99.9 % point, as track 3 has it.
  ///
  /// - Parameter deviation: Standard deviation of a run's loss, above 0.
  /// - Returns: A threshold in nats.
  public static func threshold(deviation: Double) -> Double {
    SpeedrunRules.threshold(deviation: deviation)
  }

  /// Track 3's exchange rate, measured there on runs of about 3,300 steps; shorter runs have larger ones.
  public static let publishedExchange = Exchange.given(
    perHundredSteps: 0.0045, origin: "published for track 3, at about 3,300 steps")
}
