// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How a CUDA client takes its memory, from the variables that JAX's users know.
enum AllocatorOptions {
  /// Allocators of the CUDA plugin.
  private static let allocators = ["default", "platform", "bfc", "cuda_async", "vmm"]

  /// Options for a client of a plugin.
  ///
  /// Only the CUDA plugin takes such: `XLA_PYTHON_CLIENT_ALLOCATOR` (default, platform, bfc, cuda_async, vmm),
  /// `XLA_CLIENT_MEM_FRACTION` or `XLA_PYTHON_CLIENT_MEM_FRACTION` (the share of the device's memory, 0 to 1) and
  /// `XLA_PYTHON_CLIENT_PREALLOCATE` (true, false, 1, 0). Without the last one nothing is taken ahead: the trials of a study
  /// share a device, and a run's peak is then what it used.
  ///
  /// - Parameters:
  ///   - plugin: The plugin that the client will be of.
  ///   - environment: The user's environment.
  /// - Returns: Options to make a client with; more may be added.
  /// - Throws: A setting error for a value that makes no sense.
  static func options(
    for plugin: Plugin, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(XLAError) -> [String: ClientOption] {
    guard plugin.isCUDA else { return [:] }
    var options: [String: ClientOption] = [
      "platform_name": .text("cuda"), "preallocate": .flag(false),
    ]
    if let name = environment["XLA_PYTHON_CLIENT_ALLOCATOR"]?.lowercased(), !name.isEmpty {
      guard allocators.contains(name) else {
        throw XLAError(
          .setting,
          "XLA_PYTHON_CLIENT_ALLOCATOR is \"\(name)\": expected one of \(allocators.joined(separator: ", "))"
        )
      }
      options["allocator"] = .text(name)
    }
    for variable in ["XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"] {
      guard let text = environment[variable], !text.isEmpty else { continue }
      guard let fraction = Float(text), fraction > 0, fraction <= 1 else {
        throw XLAError(
          .setting, "\(variable) is \"\(text)\": expected a share of the device's memory, as 0.9")
      }
      options["memory_fraction"] = .number(fraction)
      break
    }
    if let text = environment["XLA_PYTHON_CLIENT_PREALLOCATE"]?.lowercased(), !text.isEmpty {
      guard let flag = ["true": true, "1": true, "false": false, "0": false][text] else {
        throw XLAError(
          .setting, "XLA_PYTHON_CLIENT_PREALLOCATE is \"\(text)\": expected true or false")
      }
      options["preallocate"] = .flag(flag)
    }
    return options
  }
}
