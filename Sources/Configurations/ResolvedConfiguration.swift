// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A configuration that has been read and accepted: every key with its value and origin, in order.
public struct ResolvedConfiguration: Equatable, Sendable {
  /// A key with its value.
  public struct Entry: Equatable, Sendable {
    /// The dotted path.
    public let key: String
    /// The kind of value.
    public let kind: ConfigurationKind
    /// The value; `nil` when the key is optional and absent.
    public let value: ConfigurationValue?
    /// Where the value comes from.
    public let origin: ConfigurationOrigin
  }

  /// The entries in the order in which they were read.
  public let entries: [Entry]

  init(entries: [Entry]) {
    self.entries = entries
  }

  /// The entry of a key.
  public subscript(key: String) -> Entry? {
    entries.first { $0.key == key }
  }

  /// The configuration without some keys and sections.
  ///
  /// - Parameter excluded: for example `run`.
  /// - Returns: the other entries, in their order.
  public func without(_ excluded: [String]) -> ResolvedConfiguration {
    ResolvedConfiguration(
      entries: entries.filter { entry in !excluded.contains { entry.key.isSameOrBelow($0) } })
  }

  // MARK: - Identity

  /// Keys and sections that cannot change a run's numbers, by more than rounding where the device is another: they may differ when a
  /// run is resumed.
  public static let keysWithoutInfluence = [
    "run", "machine.threads", "machine.device", "machine.devices", "machine.sharding",
    "machine.batch_runs", "checkpoint", "metrics",
  ]

  /// Keys in which runs of one arm may differ: these, and seeds.
  public static let keysOfReplicates =
    keysWithoutInfluence + ["training.seed", "training.data_seed"]

  /// A hash of keys, kinds and values; order, origins and absent keys do not enter.
  ///
  /// - Parameter excluded: keys and sections that do not matter to the caller, for example `run`.
  /// - Returns: SHA-256 of a canonical text, as 64 lower-case hexadecimal digits.
  public func contentHash(excluding excluded: [String] = []) -> String {
    var lines: [String] = []
    for entry in entries {
      guard let value = entry.value else { continue }
      if excluded.contains(where: { entry.key.isSameOrBelow($0) }) { continue }
      lines.append("\(entry.key)\t\(entry.kind.rawValue)\t\(value.canonicalText)\n")
    }
    return SHA256.hexadecimal(of: Array(lines.sorted().joined().utf8))
  }

  /// A key that two configurations do not agree on.
  public struct Difference: Equatable, Sendable, CustomStringConvertible {
    /// The key.
    public let key: String
    /// The value in the first configuration, `nil` when it has none.
    public let first: ConfigurationValue?
    /// The value in the second configuration, `nil` when it has none.
    public let second: ConfigurationValue?

    /// `model.width: 256, other 512`.
    public var description: String {
      "\(key): \(first?.description ?? "absent"), other \(second?.description ?? "absent")"
    }
  }

  /// The keys whose values differ from another configuration.
  ///
  /// - Parameters:
  ///   - other: the configuration to compare with.
  ///   - excluded: keys and sections that do not matter to the caller.
  /// - Returns: differences in the order of this configuration, then keys that only the other one has.
  ///   Empty exactly when both have the same ``contentHash(excluding:)``.
  public func differences(
    from other: ResolvedConfiguration, excluding excluded: [String] = []
  ) -> [Difference] {
    func isExcluded(_ key: String) -> Bool {
      excluded.contains { key.isSameOrBelow($0) }
    }
    var result: [Difference] = []
    let others = Dictionary(
      other.entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var seen: Set<String> = []
    for entry in entries where !isExcluded(entry.key) {
      seen.insert(entry.key)
      let second = others[entry.key]
      let isSame =
        entry.value?.canonicalText == second?.value?.canonicalText
        && (entry.value == nil || entry.kind == second?.kind)
      if !isSame {
        result.append(Difference(key: entry.key, first: entry.value, second: second?.value))
      }
    }
    for entry in other.entries
    where entry.value != nil && !seen.contains(entry.key) && !isExcluded(entry.key) {
      result.append(Difference(key: entry.key, first: nil, second: entry.value))
    }
    return result
  }
}

extension String {
  /// Whether a key is another one, or lies in the section or the list of tables of that name.
  fileprivate func isSameOrBelow(_ other: String) -> Bool {
    self == other || hasPrefix(other + ".") || hasPrefix(other + "[")
  }
}
