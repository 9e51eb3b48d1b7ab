// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A machine that a run was made on; the file `machine.json` has that of the first session.
public struct MachineRecord: Codable, Equatable, Sendable {
  /// Name and version of the operating system.
  public var operatingSystem: String
  /// The instruction set, for example `x86_64`.
  public var architecture: String
  /// The processor's name as the system gives it, or `unknown`.
  public var processor: String
  /// The number of cores this process may use.
  public var coreCount: Int
  /// The installed memory in bytes.
  public var memoryBytes: UInt64
  /// What the caller adds, for example the version of a library or the instruction sets in use.
  public var details: [String: String]

  /// Describes a machine.
  public init(
    operatingSystem: String, architecture: String, processor: String, coreCount: Int,
    memoryBytes: UInt64, details: [String: String] = [:]
  ) {
    self.operatingSystem = operatingSystem
    self.architecture = architecture
    self.processor = processor
    self.coreCount = coreCount
    self.memoryBytes = memoryBytes
    self.details = details
  }

  /// This machine.
  ///
  /// - Parameter details: what to add.
  /// - Returns: what the system says about the machine.
  public static func current(details: [String: String] = [:]) -> MachineRecord {
    let process = ProcessInfo.processInfo
    return MachineRecord(
      operatingSystem: process.operatingSystemVersionString, architecture: architectureName,
      processor: processorName(), coreCount: process.activeProcessorCount,
      memoryBytes: process.physicalMemory, details: details)
  }

  private static var architectureName: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "unknown"
    #endif
  }

  private static func processorName() -> String {
    #if canImport(Darwin)
      var size = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else {
        return "unknown"
      }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else {
        return "unknown"
      }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      guard let data = try? readFile("/proc/cpuinfo") else { return "unknown" }
      for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        let name = parts[0].trimmingCharacters(in: .whitespaces)
        if name == "model name" || name == "Model", parts.count == 2 {
          return parts[1].trimmingCharacters(in: .whitespaces)
        }
      }
      return "unknown"
    #endif
  }
}
