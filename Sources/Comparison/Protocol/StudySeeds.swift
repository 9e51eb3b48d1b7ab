// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// A seed that chooses hyperparameters.
///
/// It cannot be made from a reporting seed, nor turned into one.
public struct TuningSeed: Hashable, Sendable {
  /// The number.
  public let number: Int
  fileprivate init(_ number: Int) { self.number = number }
  /// As a trial records it.
  public var trialSeed: TrialSeed { TrialSeed(.tuning, number) }
}

/// A seed that measures what was chosen.
///
/// It cannot be made from a tuning seed, nor turned into one.
public struct ReportingSeed: Hashable, Sendable {
  /// The number.
  public let number: Int
  fileprivate init(_ number: Int) { self.number = number }
  /// As a trial records it.
  public var trialSeed: TrialSeed { TrialSeed(.reporting, number) }
}

/// The seeds of a study: the only maker of both kinds, which checks that no number serves twice.
public struct StudySeeds: Equatable, Sendable {
  /// Seeds that choose.
  public let tuning: [TuningSeed]
  /// Seeds that report.
  public let reporting: [ReportingSeed]

  /// Takes the seeds of a study.
  ///
  /// - Throws: ``ProtocolError`` when a number stands in both lists, or twice in one.
  public init(_ study: StudyRecord) throws(ProtocolError) {
    let tuning = study.tuning?.seeds ?? []
    let all = tuning + study.reportingSeeds
    if let twice = all.first(where: { number in all.count { $0 == number } > 1 }) {
      throw ProtocolError(
        "study '\(study.name)': seed \(twice) is used twice among tuning seeds \(tuning) and reporting seeds "
          + "\(study.reportingSeeds); a winner must not be reported on a seed that chose it")
    }
    self.tuning = tuning.map(TuningSeed.init)
    reporting = study.reportingSeeds.map(ReportingSeed.init)
  }

  /// A result on a reporting seed of this study; nil for every other result, audits among them.
  public func reporting(_ result: TrialResult) -> ReportingResult? {
    guard !result.isAudit,
      let seed = reporting.first(where: { $0.trialSeed == result.point.seed })
    else { return nil }
    return ReportingResult(seed: seed, result: result)
  }

  /// A result on a tuning seed of this study; nil for every other result, audits among them.
  public func tuning(_ result: TrialResult) -> TuningResult? {
    guard !result.isAudit, let seed = tuning.first(where: { $0.trialSeed == result.point.seed })
    else { return nil }
    return TuningResult(seed: seed, result: result)
  }
}

/// A trial that measured a chosen cell: what functions that report take.
public struct ReportingResult: Equatable, Sendable {
  /// The seed.
  public let seed: ReportingSeed
  /// What came out.
  public let result: TrialResult
  fileprivate init(seed: ReportingSeed, result: TrialResult) {
    self.seed = seed
    self.result = result
  }
}

/// A trial that helps to choose: what the tuning takes, and budget curves.
public struct TuningResult: Equatable, Sendable {
  /// The seed.
  public let seed: TuningSeed
  /// What came out.
  public let result: TrialResult
  fileprivate init(seed: TuningSeed, result: TrialResult) {
    self.seed = seed
    self.result = result
  }
}

/// A study whose declaration contradicts itself, found where it is used.
public struct ProtocolError: Error, Equatable, CustomStringConvertible {
  /// What is wrong, with the values.
  public let message: String

  init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
