// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// One line of a parameter policy: which parameters, and what becomes of them.
///
/// A condition that is nil matches everything; all conditions must hold.
public struct ParameterRule: Hashable, Sendable {
  /// The classes of shapes that a rule can ask for.
  public enum ShapeClass: String, Sendable, CaseIterable {
    /// Two axes or more.
    case matrix
    /// One axis.
    case vector
    /// No axis, or one element.
    case scalar

    /// The class of a shape.
    public init(_ shape: Shape) {
      self = shape.count == 1 ? .scalar : shape.rank == 1 ? .vector : .matrix
    }
  }

  /// The group's name; nil: numbered.
  public var name: String?
  /// Roles it matches.
  public var roles: Set<ParameterRole>?
  /// Layers it matches; parameters outside the layers never match.
  public var layers: ClosedRange<Int>?
  /// A pattern of the parameter's name: `*` stands for any text.
  public var pattern: String?
  /// The class of shape it matches.
  public var shapeClass: ShapeClass?
  /// Whether it matches what the base method does not take.
  public var matchesIneligible = false

  /// The method's name; nil: the base method.
  public var method: String?
  /// Hyperparameters; the others are the base's for the base method, the card's for another.
  public var hyperparameters: [String: Double] = [:]
  /// Options, likewise.
  public var options: [String: String] = [:]
  /// Whether the learning rate is the base's, so that a sweep of the base moves both; the multiplier still applies.
  public var isCoupled = false
  /// What surrounds the method, where it differs from the base.
  public var settings = GroupSettings.Changes()
  /// Whether it may match nothing, for parts of a model that can be switched off.
  public var isOptional = false
  /// Whether the parameters are trained at all.
  public var isTrained = true

  /// Matches everything, changes nothing.
  public init() {}

  /// Whether a parameter fits all conditions.
  public func matches(_ parameter: Parameter, base: OptimizerCard) -> Bool {
    if let roles, !roles.contains(parameter.role) { return false }
    if let layers, !(parameter.layer.map(layers.contains) ?? false) { return false }
    if let pattern, !glob(Array(pattern), Array(parameter.name)) { return false }
    if let shapeClass, ShapeClass(parameter.shape) != shapeClass { return false }
    if matchesIneligible, base.eligibility.accepts(parameter.role) { return false }
    return true
  }

  /// Its conditions in words, for messages.
  public var conditions: String {
    var parts: [String] = []
    if let roles { parts.append("roles " + roles.map(\.key).sorted().joined(separator: ", ")) }
    if let layers { parts.append("layers \(layers.lowerBound)-\(layers.upperBound)") }
    if let pattern { parts.append("names like '\(pattern)'") }
    if let shapeClass { parts.append("shapes of class \(shapeClass.rawValue)") }
    if matchesIneligible { parts.append("what the base method does not take") }
    return parts.isEmpty ? "everything" : parts.joined(separator: " and ")
  }
}

/// Whether a name fits a pattern in which `*` stands for any text.
private func glob(_ pattern: [Character], _ name: [Character]) -> Bool {
  // reach[j]: the pattern so far matches the first j characters.
  var reach = [Bool](repeating: false, count: name.count + 1)
  reach[0] = true
  for character in pattern {
    var next = [Bool](repeating: false, count: name.count + 1)
    if character == "*" {
      var any = false
      for j in 0...name.count {
        any = any || reach[j]
        next[j] = any
      }
    } else {
      for j in name.indices where reach[j] && name[j] == character { next[j + 1] = true }
    }
    reach = next
  }
  return reach[name.count]
}
