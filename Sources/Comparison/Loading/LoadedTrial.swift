// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import RunRecords

/// What the folder of one trial holds, read once and as far as it can be read.
public struct LoadedTrial: Sendable {
  /// Validation at one step.
  public struct Evaluation: Equatable, Sendable {
    /// Updates made before it.
    public let step: Int
    /// Tokens trained on before it; nil when not recorded.
    public let tokens: Double?
    /// Nats per token; may be not finite.
    public let loss: Double
  }

  /// The path of the folder.
  public let folder: String
  /// The folder's name.
  public let identity: String
  /// Which trial it is; nil when that cannot be read.
  public let record: TrialRecord?
  /// How it stands or ended; nil when that cannot be read.
  public let outcome: RunOutcome?
  /// What has to be equal; nil without one.
  public let contract: FairnessContract?
  /// Where it ran, each machine once, in the order of its sessions; empty when that cannot be read.
  public let machines: [MachineRecord]
  /// Validation losses, that before the first step among them.
  public let evaluations: [Evaluation]
  /// Recorded statistics by the metric's name: step and value, finite or not.
  public let statistics: [String: [(step: Int, value: Double)]]
  /// What is odd about the folder by itself.
  public internal(set) var marks: Set<TrialMark>
  /// What could not be read, in words.
  public let problems: [String]
  /// What the protocol needs of it; nil when it cannot be told which trial it is or how it ended.
  public let result: TrialResult?

  /// Metrics with this prefix are always read.
  static let statisticPrefix = "effectiveRate."

  /// Reads a folder.
  ///
  /// - Parameters:
  ///   - folder: the folder of a run.
  ///   - metrics: names of metrics to read besides validation losses and effective rates.
  ///   - checksSeal: whether files are compared with the seal.
  ///   - assumed: which trial it is; nil: the folder says it.
  public init(
    folder: String, metrics: [String] = [], checksSeal: Bool = true,
    record assumed: TrialRecord? = nil
  ) {
    var problems: [String] = []
    var marks: Set<TrialMark> = []
    func read<Value: Decodable>(_ type: Value.Type, _ name: String) -> Value? {
      do throws(RunRecordError) {
        return try RecordFile.read(type, at: folder + "/" + name)
      } catch {
        problems.append(error.message)
        marks.insert(.damaged)
        return nil
      }
    }
    let record = assumed ?? read(TrialRecord.self, RunFolder.FileName.trial)
    let outcome = read(RunOutcome.self, RunFolder.FileName.outcome)
    self.folder = folder
    identity = folder.split(separator: "/").last.map(String.init) ?? folder
    contract = read(FairnessContract.self, RunFolder.FileName.contract)
    let machine = read(MachineRecord.self, RunFolder.FileName.machine)
    let sessions = read([SessionRecord].self, RunFolder.FileName.sessions)
    machines = (sessions?.map(\.machine) ?? [machine].compactMap(\.self)).withoutRepetitions
    var evaluations: [Evaluation] = []
    var statistics: [String: [(step: Int, value: Double)]] = [:]
    do throws(RunRecordError) {
      let scan = try MetricsScan(
        path: folder + "/" + RunFolder.FileName.metrics, names: ["validationLoss"] + metrics,
        prefixes: [Self.statisticPrefix], companions: ["tokens"])
      for line in scan.lines {
        for (name, value) in line.numbers where name != "validationLoss" {
          if name == "tokens", !metrics.contains(name) { continue }
          statistics[name, default: []].append((line.step, value))
        }
        guard let loss = line.number("validationLoss") else { continue }
        evaluations.append(
          Evaluation(step: line.step, tokens: line.number("tokens"), loss: loss))
      }
      if scan.damagedLines > 0 {
        problems.append("\(folder): \(scan.damagedLines) lines of metrics cannot be read")
        marks.insert(.damaged)
      }
    } catch {
      problems.append(error.message)
      marks.insert(.damaged)
    }
    self.evaluations = evaluations
    self.statistics = statistics
    if record == nil || outcome == nil || machine == nil { marks.insert(.damaged) }
    let hasEnded = outcome.map { Self.endings.contains($0.status) } ?? false
    if hasEnded, contract == nil { marks.insert(.noContract) }
    if outcome?.status == .running, !RunFolder.isBeingWritten(folder) { marks.insert(.abandoned) }
    if record?.revision.hasSuffix("+") == true { marks.insert(.uncommitted) }
    if checksSeal, hasEnded {
      do throws(RunRecordError) {
        let edited = try RunSeal.editedFiles(of: folder, sha256: SHA256.hexadecimal(of:))
        if edited == nil { marks.insert(.unsealed) }
        if let edited, !edited.isEmpty {
          marks.insert(.edited)
          problems.append(
            "\(folder): changed after the run had ended: \(edited.joined(separator: ", "))")
        }
      } catch {
        marks.insert(.damaged)
        problems.append(error.message)
      }
    }
    self.record = record
    self.outcome = outcome
    self.marks = marks
    self.problems = problems
    if let record, let outcome {
      result = TrialResult(
        point: record.point, identity: record.identity, isAudit: record.isAudit,
        status: outcome.status, reason: outcome.reason, steps: outcome.completedSteps,
        finalNumbers: outcome.finalNumbers,
        evaluations: evaluations.map { TrialResult.Evaluation(step: $0.step, loss: $0.loss) },
        folder: folder)
    } else {
      result = nil
    }
  }

  private static let endings: Set<RunOutcome.Status> = [.finished, .diverged, .stopped]

  /// A number that the outcome holds; nil when it has none, or one that is not finite.
  func finalNumber(_ name: String) -> Double? {
    outcome?.finalNumbers[name].flatMap { $0.isFinite ? $0 : nil }
  }

  /// The machine in words.
  var machineInWords: String {
    if machines.isEmpty { return "unknown" }
    return machines.map { "\($0.processor), \($0.coreCount) cores, \($0.operatingSystem)" }
      .withoutRepetitions.joined(separator: "; then ")
  }
}
