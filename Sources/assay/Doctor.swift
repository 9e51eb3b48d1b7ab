// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import RunRecords
import TensorGraph
import Training
import XLARuntime

/// `assay doctor`.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Checks this machine: processor, library, speed, gradients, threads.",
    discussion: """
      Every measurement is made now, in some seconds. Speeds are the best of several tries. Exits with 1 when a check \
      fails: a gradient outside its tolerance, or bits that depend on the number of threads.
      """)

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let report = try MachineReport { Console.say($0) }
    if json { try Console.json(report) } else { Console.data(report.text) }
    if !report.failures.isEmpty {
      for failure in report.failures { Console.say("error: " + failure) }
      throw ExitStatus.failed.exit
    }
  }
}

/// What the doctor finds.
struct MachineReport: Encodable {
  /// System, processor, cores and memory.
  let machine: MachineRecord
  /// The widest instruction set the processor offers.
  let detectedInstructionSet: String
  /// The one in use (`ASSAY_CPU` may limit it).
  let instructionSet: String
  /// Whether bf16 is multiplied in hardware; then `precision = "auto"` means bf16.
  let hasFastBFloat16: Bool
  /// Whether the processor has matrix tiles (AMX).
  let hasMatrixTiles: Bool
  /// What runs the kernels, with the version of oneDNN.
  let runtime: String
  /// Bytes read plus bytes written in a second by a copy far larger than the caches.
  let copyBandwidth: Double
  /// Floating-point operations in a second of fp32 products that fit the caches.
  let productPeakFP32: Double
  /// The same for bf16 operands.
  let productPeakBF16: Double
  /// One entry for each architecture.
  let gradientChecks: [GradientCheck]
  /// Speed with more threads.
  let threadScaling: ThreadScaling
  /// What the names of devices behind plugins lead to; that there are none is no failure.
  let plugins: [PluginListing]

  /// Measures; tells `progress` what it is doing.
  ///
  /// - Throws: what the runtime throws.
  init(progress: (String) -> Void) throws {
    let runtime = try CPURuntime()
    self.runtime = runtime.summary
    machine = .current()
    detectedInstructionSet = InstructionSet.detected.rawValue
    instructionSet = InstructionSet.selected.rawValue
    hasFastBFloat16 = InstructionSet.hasFastBFloat16
    hasMatrixTiles = InstructionSet.hasMatrixTiles
    progress("measuring memory and products")
    let probe = MachineProbe(runtime)
    copyBandwidth = try probe.copyBandwidth()
    productPeakFP32 = try probe.productPeak(.float32)
    productPeakBF16 = try probe.productPeak(.bfloat16)
    progress("checking gradients")
    gradientChecks = try GradientCheck.all()
    progress("measuring threads")
    threadScaling = try ThreadScaling()
    progress("looking for plugins")
    plugins = MachineSettings.knownDevices.filter { $0 != MachineSettings.cpu }
      .map(PluginListing.init)
  }

  /// What is wrong with this machine or this build, with the remedy.
  var failures: [String] {
    var found = gradientChecks.filter { !$0.isPassed }.map {
      "the gradients of \($0.model) are wrong on this machine; please report it with this output, "
        + "and try ASSAY_CPU=avx2 or ASSAY_CPU=portable"
    }
    if !threadScaling.hasSameBits {
      found.append(
        "the bits of a step depend on the number of threads; please report it with this output")
    }
    return found
  }

  private static func text(_ plugin: PluginListing) -> String {
    if let problem = plugin.problem { return problem }
    let kinds = plugin.devices.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    let devices = kinds.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }
    return
      "\(plugin.path ?? ""), PJRT \(plugin.interface ?? "?"), platform \(plugin.platform ?? "?"); devices: "
      + devices.joined(separator: ", ")
  }

  /// The report for a person.
  var text: String {
    func word(_ holds: Bool) -> String { holds ? "yes" : "no" }
    func verdict(_ holds: Bool) -> String { holds ? "ok" : "WRONG" }
    var table = Table([.left, .left])
    table.add("system", machine.operatingSystem)
    table.add("processor", machine.processor)
    table.add(
      "cores, memory", "\(machine.coreCount), \(Numbers.bytes(Int(clamping: machine.memoryBytes)))")
    table.add(
      "instructions",
      "\(instructionSet) in use, \(detectedInstructionSet) offered; "
        + "bf16 in hardware: \(word(hasFastBFloat16)), matrix tiles: \(word(hasMatrixTiles))")
    table.add("precision = \"auto\"", hasFastBFloat16 ? "bf16" : "fp32")
    table.add("runtime", runtime)
    table.add("copy", "\(Numbers.fixed(copyBandwidth / 1e9, 1)) GB/s, read and written")
    table.add(
      "products",
      "fp32 \(Numbers.fixed(productPeakFP32 / 1e12, 2)), bf16 \(Numbers.fixed(productPeakBF16 / 1e12, 2)) TFLOP/s"
    )
    for check in gradientChecks {
      table.add(
        "gradients, \(check.model)",
        "fp32 \(Numbers.scientific(check.fp32)), bf16 \(Numbers.scientific(check.bf16)), "
          + "differences \(Numbers.scientific(check.finiteDifferences)): \(verdict(check.isPassed))"
      )
    }
    for point in threadScaling.points {
      table.add(
        point.threads == 1 ? "1 thread" : "\(point.threads) threads",
        "\(Numbers.short(point.tokensPerSecond)) tokens/s (\(threadScaling.precision)), "
          + "\(Numbers.fixed(point.speedup, 2))x")
    }
    table.add("same bits", verdict(threadScaling.hasSameBits))
    for plugin in plugins { table.add(plugin.device, Self.text(plugin)) }
    return table.text
  }
}
