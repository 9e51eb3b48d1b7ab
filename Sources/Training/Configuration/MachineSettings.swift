// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import XLARuntime

/// Section `[machine]`.
public struct MachineSettings: Sendable {
  /// Choices of `precision`.
  public enum PrecisionChoice: String, Sendable, CaseIterable {
    /// bf16 where the device multiplies it in hardware, else fp32.
    case auto
    /// Products in bf16 with fp32 accumulation; weights and state in fp32.
    case bf16
    /// Everything in fp32.
    case fp32
  }

  /// The word for this machine's processor without a plugin.
  public static let cpu = "cpu"
  /// Devices that have a name.
  public static let knownDevices = [cpu, "xla:cpu", "xla:cuda"]

  /// `device`: what executes programs, `cpu`, `xla:cpu`, `xla:cuda` or `xla:FILE.so`; cpu.
  public var device: String
  /// `devices`: how many of them share each program; 1.
  public var devices: Int
  /// `sharding`: what is cut among several devices beside the batch; state.
  public let sharding: ShardingRules.Level
  /// `batch_runs`: how many trials of a study share each program; 1.
  public let batchRuns: Int
  /// `threads`: 0, one for every core.
  public let threads: Int
  /// `precision`; auto.
  public let precision: PrecisionChoice

  /// What is cut, as the runtime takes it.
  public var shardingRules: ShardingRules {
    var rules = ShardingRules()
    rules.level = sharding
    return rules
  }

  /// Whether a plugin executes programs.
  public var usesXLA: Bool { device != Self.cpu }

  init(_ section: ConfigurationSection) {
    device = section.string(
      "device", default: Self.cpu,
      doc:
        "what computes: cpu, or through a PJRT plugin of XLA xla:cpu, xla:cuda or xla:FILE.so"
    )
    devices = section.integer(
      "devices", default: 1, in: 1...65_536,
      doc: "devices that share each step, each with its part of the batch")
    threads = Self.threads(section, device)
    precision = section.choice(
      "precision", default: .auto, doc: "auto: bf16 where the device multiplies it in hardware")
    sharding = Self.sharding(section, devices)
    batchRuns = section.integer(
      "batch_runs", default: 1, in: 1...1024,
      doc: "trials of a study that share each program, where they differ in numbers alone")
    if let problem = Self.problem(with: device) {
      section.refuse("device", message: problem)
    } else if devices > 1, device == Self.cpu {
      section.contradiction(
        "devices", "device",
        message:
          "device = \"cpu\" is one device, with as many threads as machine.threads says; leave devices at 1, or choose "
          + "device = \"xla:cpu\" or \"xla:cuda\"")
    } else if batchRuns > 1, device == Self.cpu {
      section.contradiction(
        "batch_runs", "device",
        message:
          "device = \"cpu\" runs every trial in a program of its own, so the key has no effect; leave batch_runs at 1, or choose "
          + "device = \"xla:cpu\" or \"xla:cuda\"")
    }
  }

  /// Cut is what several devices share; one has everything.
  private static func sharding(
    _ section: ConfigurationSection, _ devices: Int
  ) -> ShardingRules.Level {
    let doc =
      "what devices share beside the batch: batch (nothing), state (the optimizer's), parameters (these too)"
    if devices > 1 { return section.choice("sharding", default: .state, doc: doc) }
    section.refuseWithoutEffect(
      ["sharding"], switchedBy: "machine.devices",
      message: "one device shares nothing, so the key has no effect; remove it, or give devices")
    if !section.isGiven("sharding") {
      _ = section.optionalChoice("sharding", of: ShardingRules.Level.self, doc: doc)
    }
    return .state
  }

  /// Plugins make threads of their own.
  private static func threads(_ section: ConfigurationSection, _ device: String) -> Int {
    let (range, doc) = (0...1024, "0: one for every core; never changes numbers")
    if device == cpu { return section.integer("threads", default: 0, in: range, doc: doc) }
    section.refuseWithoutEffect(
      ["threads"], switchedBy: "machine.device",
      message:
        "a plugin makes threads of its own, so the key has no effect; remove it, or choose device = \"cpu\""
    )
    if !section.isGiven("threads") { _ = section.optionalInteger("threads", in: range, doc: doc) }
    return 0
  }

  /// What is wrong with the name of a device, and what to write; nil where it may be right.
  ///
  /// Whether there is such a plugin shows when it is opened: a configuration means the same everywhere.
  public static func problem(with device: String) -> String? {
    if knownDevices.contains(device) { return nil }
    if device.hasPrefix("xla:") {
      let file = device.dropFirst(4)
      if file.contains("/") || file.hasSuffix(".so") || file.hasSuffix(".dylib") { return nil }
    }
    let graphics = ["gpu", "cuda", "xla:gpu", "xla"].contains(device.lowercased())
    let meant = graphics ? "xla:cuda" : nearest(to: device, among: knownDevices)
    return "no such device; use one of \(knownDevices.joined(separator: ", ")), or xla:FILE.so."
      + (meant.map { " Did you mean '\($0)'?" } ?? "")
  }
}
