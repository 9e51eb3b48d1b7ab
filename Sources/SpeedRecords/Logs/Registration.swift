// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What was fixed before the first run: how many runs there would be, and the rule that decides.
///
/// A log says so in a line of its source text or header:
///
/// ```
/// # preregistered: runs=12 rule=t target=3.28 level=0.01
/// ```
///
/// Runs of a declared study have it from the declaration, packs from their manifest.
public struct Registration: Codable, Equatable, Sendable {
  /// The number of runs of the set; 1 to 1,000,000.
  public var runs: Int?
  /// The rule's name: `t`, `z` or `pairwise`.
  public var rule: String?
  /// The loss to reach.
  public var target: Double?
  /// The level of the test.
  public var level: Double?
  /// Where it stands, in words.
  public var origin: String

  /// Describes what was fixed.
  ///
  /// - Parameters:
  ///   - runs: The number of runs of the set; nil when it was left open.
  ///   - rule: The rule's name.
  ///   - target: The loss to reach.
  ///   - level: The level of the test.
  ///   - origin: Where it stands, in words.
  public init(
    runs: Int?, rule: String? = nil, target: Double? = nil, level: Double? = nil, origin: String
  ) {
    self.runs = runs
    self.rule = rule
    self.target = target
    self.level = level
    self.origin = origin
  }

  /// How the line begins, after spaces and a comment sign.
  static let marker = "preregistered:"

  /// Reads the line; nil when it is another line.
  init?(line: String, origin: String) {
    let text = line.drop { " \t#/".contains($0) }
    guard text.hasPrefix(Self.marker) else { return nil }
    self.init(runs: nil, origin: origin)
    for word in text.dropFirst(Self.marker.count).split(whereSeparator: { " \t,;".contains($0) }) {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "runs", "n": runs = Int(parts[1]).flatMap { RunSet.countRange.contains($0) ? $0 : nil }
      case "rule": rule = parts[1]
      case "target": target = Double(parts[1])
      case "level": level = Double(parts[1])
      default: continue
      }
    }
  }
}
