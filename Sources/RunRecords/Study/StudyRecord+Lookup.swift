// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension StudyRecord {
  /// The arm of a name.
  public func arm(named name: String) -> Arm? { arms.first { $0.name == name } }

  /// The variant of a name.
  public func variant(named name: String) -> Variant? { variants.first { $0.name == name } }

  /// The arms that run in a variant, in the order of the declaration.
  public func arms(in variant: String) -> [Arm] { arms.filter { $0.variants.contains(variant) } }
}

extension StudyRecord.Arm {
  /// The values of swept and tuned keys where nothing else is chosen, in one variant.
  ///
  /// Every trial of the arm starts from them and replaces some, so that all its trials give the same keys and two trials that are
  /// the same have equal points.
  public func defaults(in variant: String) -> [String: KnobValue] {
    var result: [String: KnobValue] = [:]
    for (key, value) in defaults where !key.contains("/") { result[key] = value }
    let prefix = variant + "/"
    for (key, value) in defaults where key.hasPrefix(prefix) {
      result[String(key.dropFirst(prefix.count))] = value
    }
    return result
  }
}

extension StudyRecord.Axis {
  /// The first grid of an arm in a variant, ascending; empty when the arm is not tuned on this axis.
  public func grid(arm: String, variant: String) -> [KnobValue] {
    guard keys[arm] != nil else { return [] }
    return grids["\(arm)/\(variant)"] ?? grids[arm] ?? []
  }
}
