// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the page shows, as `/state.json` has it.
///
/// Numbers that are not known are absent; none is NaN or infinite.
struct DashboardState: Codable, Equatable {
  /// The version of the layout.
  var format = 1
  /// The study's name, with every declared difference.
  var title: String
  /// What it asks.
  var question: String
  /// The command that goes on with it.
  var command: String
  /// Trials, by what became of them.
  var progress: Progress
  /// Trials that are being run, by identity.
  var running: [RunningTrial]
  /// One for each variant.
  var variants: [Variant]
  /// What a reader has to know.
  var marks: [Mark]
  /// The trials that ended last, the newest first.
  var ended: [EndedTrial]
  /// Why there is no analysis, in words.
  var problem: String?
  /// Changes whenever ``DashboardCharts`` do.
  var chartsRevision: Int

  /// How far the study is.
  struct Progress: Codable, Equatable {
    var done = 0
    var failed = 0
    var expected = 0
    var isComplete = false
    /// Whether a process runs the study now.
    var isRunning = false
    /// Seconds until the study is done, a rough guess; nil when nobody runs it.
    var secondsLeft: Double?
  }

  /// A trial that somebody writes.
  struct RunningTrial: Codable, Equatable {
    var identity: String
    var variant: String
    var arm: String
    var seed: Int
    /// `tuning`, `reporting` or `calibration`.
    var purpose: String
    /// What the protocol set, in words.
    var knobs: String
    var step: Int
    var steps: Int?
    var loss: Double?
    var validationLoss: Double?
    var tokensPerSecond: Double?
    var secondsLeft: Double?
  }

  /// A trial that ended.
  struct EndedTrial: Codable, Equatable {
    var identity: String
    var arm: String
    var seed: Int
    var purpose: String
    var knobs: String
    var status: String
    var loss: Double?
    var seconds: Double?
    var reason: String?
  }

  /// A leaderboard.
  struct Variant: Codable, Equatable {
    var name: String
    /// What is being run, in words.
    var phase: String
    var entropyFloor: Double?
    var rows: [Row]
  }

  /// An arm on the leaderboard.
  struct Row: Codable, Equatable {
    var arm: String
    var rank: Int?
    var isBaseline: Bool
    /// Mean loss over reporting seeds.
    var loss: Double?
    /// Half the width of its interval.
    var halfWidth: Double?
    /// The interval's level in percent.
    var level: Double?
    var seeds: Int
    /// Replicates still to come.
    var missing: Int
    var diverged: Int
    var failed: Int
    /// The lowest loss that tuning has seen: where the arm stands before it reports.
    var tuningLoss: Double?
    var tuningTrials: Int
    /// The values it reports at, in words.
    var knobs: String
    var isUndertuned: Bool
    /// Against the baseline, in words.
    var verdict: String?
    var millisecondsPerStep: Double?
    var stateBytes: Double?
  }

  /// Something odd.
  struct Mark: Codable, Equatable {
    var kind: String
    var text: String
  }
}

/// The drawings of the page, as `/charts.json` has them.
struct DashboardCharts: Codable, Equatable {
  /// Changes whenever they do.
  var revision: Int
  /// In the order of the page.
  var charts: [Chart]

  /// A drawing.
  struct Chart: Codable, Equatable {
    /// The same drawing has the same name, so that the page replaces it in its place.
    var name: String
    var svg: String
  }
}
