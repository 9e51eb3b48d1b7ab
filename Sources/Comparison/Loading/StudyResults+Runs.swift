// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Foundation
public import RunRecords

extension StudyResults {
  /// What a comparison of runs that are no trials of a study is made with.
  public struct RunComparison: Sendable {
    /// The configuration key whose values are the arms; nil: the optimizer's name.
    public var key: String?
    /// The arm that the others are compared with; nil: that of the first run.
    public var baseline: String?
    /// Conditions in which arms may differ.
    public var differences: [FairnessContract.Field]
    /// From when on a difference counts.
    public var margin: StudyRecord.ComparisonRule.Margin
    /// How replicates are matched.
    public var pairing: StudyRecord.ComparisonRule.Pairing

    /// Describes a comparison.
    public init(
      key: String? = nil, baseline: String? = nil, differences: [FairnessContract.Field] = [],
      margin: StudyRecord.ComparisonRule.Margin = .deviations(2),
      pairing: StudyRecord.ComparisonRule.Pairing = .calibrated
    ) {
      self.key = key
      self.baseline = baseline
      self.differences = differences
      self.margin = margin
      self.pairing = pairing
    }
  }

  /// Takes runs for the reporting trials of a study that nobody declared.
  ///
  /// Runs with the same value of the key are replicates of one arm and must differ in their seeds only.
  ///
  /// - Parameters:
  ///   - runs: folders of runs.
  ///   - comparison: what is compared with what.
  ///   - command: the command that compares them.
  ///   - declaredAt: when it is given.
  /// - Throws: ``ComparisonError`` when runs cannot be read or told apart, or replicates of an arm differ in more than seeds.
  public init(
    runs: [String], _ comparison: RunComparison = RunComparison(), command: String,
    declaredAt: Date = Date()
  ) throws(ComparisonError) {
    guard !runs.isEmpty else {
      throw ComparisonError(
        .noRecords, "there are no runs to compare; name the folders of at least two")
    }
    let key = comparison.key ?? "optimizer.name"
    var read: [PlainRun] = []
    for folder in runs { read.append(try PlainRun(folder, key: key)) }
    try Self.requireReplicates(read, key: key)
    var names: [String] = []
    for run in read where !names.contains(run.arm) { names.append(run.arm) }
    let baseline = comparison.baseline ?? names[0]
    guard names.contains(baseline) else {
      throw ComparisonError(
        .noRecords,
        "the baseline '\(baseline)' is no arm of these runs; their \(key) is \(names.joined(separator: ", "))"
      )
    }
    // Reporting seeds have one number; pairs of numbers are numbered in order.
    let seeds = Set(read.map(\.seed)).sorted { ($0.initial, $0.data) < ($1.initial, $1.data) }
    let isPlain = seeds.allSatisfy { $0.initial == $0.data }
    let numbers = Dictionary(
      uniqueKeysWithValues: seeds.enumerated().map { ($1, isPlain ? $1.initial : $0 + 1) })
    let arms = names.map { name in
      let own = read.filter { $0.arm == name }
      return StudyRecord.Arm(
        name: name, method: own[0].method, changes: [key: name],
        differences: comparison.differences, variants: ["main"],
        steps: ["main": own.map(\.steps).max() ?? 0], defaults: [:])
    }
    let study = StudyRecord(
      name: "\(read.count) runs", question: "",
      variants: [StudyRecord.Variant(name: "main", changes: [:])], arms: arms, baseline: baseline,
      tuning: nil, sweeps: [], reportingSeeds: seeds.compactMap { numbers[$0] },
      budget: StudyRecord.Budget(
        unit: .steps, amount: Double(arms.compactMap { $0.steps["main"] }.max() ?? 0)),
      targets: nil,
      rule: StudyRecord.ComparisonRule(
        level: 0.05, margin: comparison.margin, pairing: comparison.pairing,
        family: names.filter { $0 != baseline }.map { [$0, baseline] }, exploresAllPairs: true),
      stopping: StudyRecord.Stopping(divergenceMargin: nil, races: false, auditShare: 0),
      claims: [], declaredAt: declaredAt, revision: "unknown", command: command,
      hash: SHA256.hexadecimal(of: read.map(\.folder).joined(separator: "\n")))
    let trials = read.map { run in
      let seed = TrialSeed(.reporting, numbers[run.seed] ?? run.seed.initial)
      return LoadedTrial(
        folder: run.folder,
        record: TrialRecord(
          study: study.name, identity: run.folder,
          point: TrialPoint(variant: "main", arm: run.arm, seed: seed, knobs: [:]),
          revision: run.revision, version: ""))
    }
    self.init(study: study, folder: ".", trials: trials, isDeclared: false)
  }

  /// Checks that replicates of an arm are replicates.
  private static func requireReplicates(_ runs: [PlainRun], key: String) throws(ComparisonError) {
    for (index, run) in runs.enumerated() {
      guard let first = runs[..<index].first(where: { $0.arm == run.arm }) else { continue }
      if let twin = runs[..<index].first(where: { $0.arm == run.arm && $0.seed == run.seed }) {
        throw ComparisonError(
          .ambiguousRuns,
          "\(twin.folder) and \(run.folder) both are '\(run.arm)' with seed \(run.seed.initial); "
            + "leave one out, or group the runs by the key in which they differ instead of \(key)")
      }
      let differences = run.configuration.differences(
        from: first.configuration, excluding: ResolvedConfiguration.keysOfReplicates)
      guard differences.isEmpty else {
        throw ComparisonError(
          .ambiguousRuns,
          "\(run.folder) and \(first.folder) both are '\(run.arm)' but differ in more than seeds: "
            + differences.map(\.description).joined(separator: "; ")
            + ". Group the runs by the key in which they differ instead of \(key)")
      }
    }
  }
}

/// A run that is no trial of a study, as far as a comparison needs it.
private struct PlainRun {
  let folder: String
  let configuration: ResolvedConfiguration
  let arm: String
  let method: String
  let seed: TrialSeed
  let steps: Int
  let revision: String

  init(_ folder: String, key: String) throws(ComparisonError) {
    let record: RunRecord
    do throws(RunRecordError) {
      record = try RunRecord(path: folder)
    } catch {
      throw ComparisonError(.noRecords, error.message)
    }
    let configuration: ResolvedConfiguration
    do throws(ConfigurationError) {
      configuration = try ResolvedConfiguration(json: record.configurationJSON)
    } catch {
      throw ComparisonError(.noRecords, "\(folder): \(error.message)")
    }
    guard let value = configuration[key]?.value else {
      throw ComparisonError(
        .noRecords,
        "\(folder): its configuration has no \(key); choose a key that all runs have to tell the arms apart"
      )
    }
    self.folder = folder
    self.configuration = configuration
    arm = Self.text(value)
    method = configuration["optimizer.name"]?.value.map(Self.text) ?? ""
    let initial = Self.integer(configuration, "training.seed") ?? 0
    seed = TrialSeed(
      .reporting, initial, data: Self.integer(configuration, "training.data_seed") ?? initial)
    steps = record.outcome.completedSteps
    revision = record.trial?.revision ?? "unknown"
  }

  private static func integer(_ configuration: ResolvedConfiguration, _ key: String) -> Int? {
    if case .integer(let number) = configuration[key]?.value { return number }
    return nil
  }

  private static func text(_ value: ConfigurationValue) -> String {
    if case .string(let text) = value { return text }
    return value.description
  }
}
