// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
public import TensorGraph
public import XLARuntime

/// The numbers that products are computed in.
public enum Precision: String, Hashable, Sendable, Codable {
  /// Operands bf16, accumulation fp32; weights and optimizer state fp32.
  case bf16
  /// Everything fp32.
  case fp32
}

/// How a run gets the runtime that executes it.
public struct RuntimeProvider {
  /// Whether `precision = "auto"` means bf16.
  public let prefersBFloat16: Bool
  /// Makes a runtime for a precision and a number of threads (nil: one for every core).
  public let make: (_ precision: Precision, _ threads: Int?) throws -> any Runtime

  /// Any way to make a runtime.
  public init(
    prefersBFloat16: Bool,
    make: @escaping (_ precision: Precision, _ threads: Int?) throws -> any Runtime
  ) {
    self.prefersBFloat16 = prefersBFloat16
    self.make = make
  }

  /// The precision that a choice means here.
  public func precision(_ choice: MachineSettings.PrecisionChoice) -> Precision {
    switch choice {
    case .auto: prefersBFloat16 ? .bf16 : .fp32
    case .bf16: .bf16
    case .fp32: .fp32
    }
  }
}

extension RuntimeProvider {
  /// This machine's processor.
  public static var cpu: RuntimeProvider {
    RuntimeProvider(prefersBFloat16: hasFastBFloat16) { _, threads in
      try CPURuntime(threads: threads)
    }
  }

  /// What a configuration asks for: this machine's processor, or devices behind a plugin of XLA.
  ///
  /// Nothing is opened before a runtime is made.
  ///
  /// - Parameters:
  ///   - machine: The settings.
  ///   - processes: That form the run; nil: this one alone.
  public init(_ machine: MachineSettings, processes: ProcessGroup? = nil) {
    guard machine.usesXLA else {
      self = .cpu
      return
    }
    // Whoever has an accelerator has one that multiplies bf16; a plugin for the processor is as fast at it as the processor.
    let prefersBFloat16 = machine.device != "xla:cpu" || Self.hasFastBFloat16
    self.init(prefersBFloat16: prefersBFloat16) { _, _ in
      try XLARuntime(
        device: machine.device, devices: machine.devices, sharding: machine.shardingRules,
        processes: processes)
    }
  }

  private static var hasFastBFloat16: Bool {
    // Heeds ASSAY_CPU before asking; a wrong value there is reported when the runtime is made.
    _ = try? InstructionSet.select()
    return InstructionSet.hasFastBFloat16
  }
}
