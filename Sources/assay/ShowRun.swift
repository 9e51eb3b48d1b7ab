// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import Foundation
import RunRecords
import Training

/// `assay show run`.
struct ShowRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Shows how a run stands: state, losses, speed, machine.")

  @Argument(help: "The folder of a run.")
  var folder: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let summary = try RunSummary(folder)
    if json { try Console.json(summary) } else { Console.data(summary.text) }
  }
}

/// A run in numbers, from its record alone.
struct RunSummary: Encodable {
  let folder: String
  /// running, finished, interrupted, diverged, failed; killed when it says running and no process writes it.
  let status: String
  let reason: String?
  let completedSteps: Int
  let plannedSteps: Int?
  /// The last metrics line's numbers.
  let last: [String: Double]
  /// What the run stored at its end, for example the validation loss.
  let final: [String: Double]
  let medianTokensPerSecond: Double?
  let sessions: Int
  /// The machine that the run was begun on.
  let machine: MachineRecord
  /// Every machine and number of threads that it was made with.
  let machines: [MachineRecord]
  /// Every key and its value, as text.
  let configuration: [String: String]

  /// Reads a run.
  ///
  /// - Throws: what reading the record throws.
  init(_ folder: String) throws {
    let record = try RunRecord(path: folder)
    let configuration = try ResolvedConfiguration(json: record.configurationJSON)
    self.folder = folder
    let outcome = record.outcome
    let isDead = outcome.status == .running && !RunFolder.isBeingWritten(folder)
    status = isDead ? "killed" : outcome.status.rawValue
    reason = outcome.reason
    completedSteps = outcome.completedSteps
    plannedSteps = configuration["training.steps"]?.value.flatMap { Int($0.description) }
    var last: [String: Double] = [:]
    let metrics = try record.metrics()
    while let line = try metrics.next() {
      last = [:]
      for field in line.fields { last[field.name] = line.number(field.name) }
      last["step"] = Double(line.step)
    }
    self.last = last
    final = outcome.finalNumbers
    let speeds = try record.timings().series("tokensPerSecond").map(\.value).sorted()
    medianTokensPerSecond = speeds.isEmpty ? nil : speeds[speeds.count / 2]
    sessions = outcome.sessionCount
    machine = record.machine
    machines = record.machines
    self.configuration = Dictionary(
      uniqueKeysWithValues: configuration.entries.compactMap { entry in
        entry.value.map { (entry.key, $0.plainText) }
      })
  }

  /// The summary for a person.
  var text: String {
    var table = Table([.left, .left])
    table.add("run", folder)
    table.add("state", status + (reason.map { ": " + $0 } ?? ""))
    table.add(
      "steps",
      Numbers.grouped(completedSteps) + (plannedSteps.map { " of " + Numbers.grouped($0) } ?? ""))
    if let loss = final["validationLoss"] {
      table.add(
        "validation loss",
        "\(Numbers.fixed(loss, 4)) nats a token"
          + (final["bitsPerByte"].map { ", \(Numbers.fixed($0, 4)) bits a byte" } ?? ""))
    }
    if let tokens = final["tokens"] { table.add("tokens", Numbers.grouped(Int(tokens))) }
    if let skipped = final["skippedSteps"], skipped > 0 {
      table.add("skipped steps", Numbers.grouped(Int(skipped)))
    }
    if let seconds = final["trainingSeconds"] {
      table.add("time in steps", Numbers.duration(seconds))
    }
    if let medianTokensPerSecond {
      table.add("speed", Numbers.short(medianTokensPerSecond) + " tokens/s (median)")
    }
    table.add("sessions", "\(sessions)")
    for (index, machine) in machines.enumerated() {
      // Where there are several, what they differ in may be the threads; what is no processor is always told.
      let isTold =
        machines.count > 1 || machine.details["device"].map { $0 != MachineSettings.cpu } ?? false
      let runtime = isTold ? machine.details["runtime"].map { ", " + $0 } ?? "" : ""
      table.add(
        index == 0 ? "machine" : "then",
        "\(machine.processor), \(machine.coreCount) cores" + runtime)
    }
    for key in [
      "model.architecture", "model.width", "model.layers", "model.context_length",
      "training.batch_tokens", "optimizer.name", "optimizer.learning_rate", "machine.precision",
      "data.path",
    ] {
      if let value = configuration[key] { table.add(key, value) }
    }
    return table.text
  }
}

extension ConfigurationValue {
  /// The value without TOML's quotes.
  var plainText: String {
    if case .string(let text) = self { return text }
    return description
  }
}
