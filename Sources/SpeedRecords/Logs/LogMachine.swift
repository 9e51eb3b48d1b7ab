// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The machine and software of a run, as far as its log's header tells.
///
/// Two logs with equal headers may still be from two machines of the same kind; different ones are from different machines or software.
public struct LogMachine: Codable, Equatable, Sendable, CustomStringConvertible {
  /// The names of the devices, one for each, in the order of `nvidia-smi`.
  public var devices: [String] = []
  /// The driver's version.
  public var driver: String?
  /// Versions, such as `PyTorch 2.10.0 compiled for CUDA 12.6`.
  public var software: [String] = []

  /// Whether the header told anything.
  public var isKnown: Bool { !devices.isEmpty || !software.isEmpty }

  /// In one line.
  public var description: String {
    var parts: [String] = []
    for name in Set(devices).sorted() {
      parts.append("\(devices.count { $0 == name }) x \(name)")
    }
    if let driver { parts.append("driver \(driver)") }
    return (parts + software).joined(separator: ", ")
  }

  /// Takes what a line of the header tells.
  mutating func read(_ line: String) {
    if line.hasPrefix("Running ") || line.hasPrefix("using device:") {
      software.append(String(line.dropFirst(line.hasPrefix("Running ") ? 8 : 0)).trimmed)
      return
    }
    guard line.hasPrefix("|") else { return }
    if let range = line.range(of: "Driver Version: ") {
      driver = String(line[range.upperBound...].prefix { !$0.isWhitespace })
      return
    }
    // "|   0  NVIDIA H100 80GB HBM3          On  |   00000000:19:00.0 Off |                    0 |"
    let cells = line.split(separator: "|", omittingEmptySubsequences: true)
    guard cells.count == 3 else { return }
    let words = cells[0].split(separator: " ")
    guard words.count >= 3, let first = words.first, Int(first) == devices.count else { return }
    let isMode = ["On", "Off", "N/A"].contains(words.last.map(String.init) ?? "")
    let name = words.dropFirst().dropLast(isMode ? 1 : 0).joined(separator: " ")
    // The table of processes has numbers in the first cells too, and no bus.
    guard cells[1].contains(":") else { return }
    devices.append(name)
  }
}

extension String {
  /// Without white space at its ends.
  var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
