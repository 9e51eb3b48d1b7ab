// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords

/// Keeps up with a study's folder: the running trials at every look, the analysis whenever a trial has ended.
actor StudyWatch {
  private let folder: StudyFolder
  private let analyse: DashboardServer.Analyse
  private var tails: [String: TrialTail] = [:]
  private var fingerprint: String?
  private var analysis: StudyAnalysis?
  private var problem: String?
  private var lastAnalysis = ContinuousClock.now
  private var lastDuration = Duration.zero
  private var latest: DashboardState?
  private var drawn = DashboardCharts(revision: 0, charts: [])

  /// Time between two looks.
  static let interval = Duration.milliseconds(1000)

  /// How many times as long as the last analysis took the next one waits.
  private let patience: Int

  init(folder: String, patience: Int = 3, analyse: @escaping DashboardServer.Analyse) {
    self.folder = StudyFolder(folder)
    self.patience = patience
    self.analyse = analyse
  }

  /// Looks again and again until the task is cancelled.
  func keepUp() async {
    while !Task.isCancelled {
      await look()
      try? await Task.sleep(for: Self.interval)
    }
  }

  /// The state of the last look, as JSON.
  func state() async -> Data {
    if latest == nil { await look() }
    return Self.json(latest)
  }

  /// The drawings of the last look, as JSON.
  func charts() async -> Data {
    if latest == nil { await look() }
    return Self.json(drawn)
  }

  private static func json(_ value: some Encodable) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // No state has such a number; a page that fails for one would be worse than a text in its place.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(value)) ?? Data("null".utf8)
  }

  // MARK: - One look

  func look() async {
    let trials = folder.trials()
    let (marks, running) = survey(trials)
    // An analysis of many trials takes seconds: never more than a quarter of the time, if patience is 3.
    let rest = ContinuousClock.now - lastAnalysis
    if fingerprint == nil || (marks != fingerprint && rest >= lastDuration * patience) {
      fingerprint = marks
      await analyseAgain()
    }
    tails = tails.filter { running.contains($0.key) }
    var live: [LiveTrial] = []
    for path in running {
      guard let record = try? TrialRecord(folder: path) else { continue }
      let tail = tails[path] ?? TrialTail(path)
      tails[path] = tail
      tail.read()
      live.append(LiveTrial(record: record, tail: tail))
    }
    let isRunning = !running.isEmpty || RunFolder.isBeingWritten(folder.path)
    let charts = DashboardDrawing(analysis: analysis, live: live).charts
    if charts != drawn.charts {
      drawn = DashboardCharts(revision: drawn.revision + 1, charts: charts)
    }
    latest = DashboardState(
      analysis: analysis, record: try? folder.record(), live: live, isRunning: isRunning,
      problem: problem, chartsRevision: drawn.revision)
  }

  /// What tells whether the analysis is still true, and the trials that somebody writes.
  private func survey(_ trials: [String]) -> (fingerprint: String, running: [String]) {
    var marks = [
      StudyFolder.FileName.record, StudyFolder.FileName.calibration,
    ].map { Self.stamp(folder.file($0)) }
    var running: [String] = []
    for path in trials {
      marks.append(Self.stamp(path + "/" + RunFolder.FileName.outcome))
      guard let outcome = try? RunOutcome(folder: path) else { continue }
      if outcome.status == .running, RunFolder.isBeingWritten(path) { running.append(path) }
    }
    return (marks.joined(separator: "\n"), running)
  }

  private static func stamp(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return "\(path) \(time.tv_sec).\(time.tv_nsec) \(status.st_size) \(status.st_ino)"
  }

  /// Analyses on a thread of its own, so that requests are answered meanwhile, on a machine with one core too.
  private func analyseAgain() async {
    let start = ContinuousClock.now
    let (path, analyse) = (folder.path, analyse)
    let result = await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async {
        continuation.resume(returning: Result { try analyse(path) })
      }
    }
    switch result {
    case .success(let made): (analysis, problem) = (made, nil)
    case .failure(let error): problem = "\(error)"
    }
    lastAnalysis = ContinuousClock.now
    lastDuration = lastAnalysis - start
  }
}

/// A trial that somebody writes, with what it has written.
struct LiveTrial {
  let record: TrialRecord
  let tail: TrialTail
}
