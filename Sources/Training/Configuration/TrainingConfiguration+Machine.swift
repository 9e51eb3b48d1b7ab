// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import TensorGraph
import XLARuntime

/// The devices of a run.
extension TrainingConfiguration {
  /// Refuses micro-batches that devices cannot share by whole sequences.
  func check(devices: Int) throws(ConfigurationError) {
    guard devices > 1 else { return }
    for entry in variants {
      let sequences = microBatches(of: entry).sequences
      guard sequences % devices != 0 else { continue }
      throw ConfigurationError(
        .contradiction,
        keys: ["machine.devices", "training.batch_tokens", "training.accumulation_steps"],
        "machine.devices is \(devices), and a micro-batch has \(Self.counted(sequences)) of "
          + "\(entry.variant.contextLength) tokens (training.batch_tokens / training.accumulation_steps / context_length): "
          + "each device takes whole sequences, so give a multiple of \(devices) sequences, or other devices"
      )
    }
  }

  private static func counted(_ sequences: Int) -> String {
    sequences == 1 ? "1 sequence" : "\(sequences) sequences"
  }

  /// What a record says of the machine beside its processor.
  func machineDetails(_ runtime: any Runtime, _ precision: Precision) -> [String: String] {
    var details = [
      "runtime": runtime.summary, "precision": precision.rawValue, "device": machine.device,
    ]
    if machine.usesXLA { details["devices"] = "\(machine.devices)" }
    if machine.devices > 1 { details["sharding"] = machine.sharding.rawValue }
    if let runtime = runtime as? XLARuntime {
      details["plugin"] = runtime.pluginVersion
      details["device_kind"] = runtime.deviceKinds.first
      if runtime.runCount > 1 { details["runs_in_program"] = "\(runtime.runCount)" }
    }
    return details
  }
}
