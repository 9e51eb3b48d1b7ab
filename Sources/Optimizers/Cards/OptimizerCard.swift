// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// What is known about a method without running it.
///
/// Documentation, prices, defaults, search spaces and the exceptions of the contract tests come from here.
public struct OptimizerCard: Sendable {
  /// The key in a configuration, for example `adamw`.
  public let name: String
  /// Authors, title, year, link.
  public let paper: String
  /// The update, as text.
  public let equation: String
  /// What it takes, the learning rate first.
  public let hyperparameters: [Hyperparameter]
  /// Choices between equations.
  public let options: [Option]
  /// What it keeps for each parameter.
  public let state: StateSize
  /// Which parameters it takes, and who takes the others.
  public let eligibility: Eligibility
  /// Gradient evaluations beyond the one of every step; nil: none.
  public let observation: Observation?
  /// Whether evaluation, exports and generation use other weights than the trained ones.
  public let evaluatesAverage: Bool
  /// Whether a decaying learning rate spoils the method: then the schedule stays constant unless asked for.
  public let wantsConstantRate: Bool
  /// What its first update does.
  public let firstUpdate: FirstUpdate
  /// What the update of one number depends on.
  public let scope: Scope
  /// What surrounds the method unless a configuration says otherwise.
  public let settings: GroupSettings
  /// Where this differs from the paper, and why.
  public let deviations: [String]
  /// What users should know.
  public let caveats: [String]

  /// Writes a card.
  public init(
    name: String, paper: String, equation: String, hyperparameters: [Hyperparameter],
    options: [Option] = [], state: StateSize, eligibility: Eligibility = .all,
    observation: Observation? = nil, evaluatesAverage: Bool = false,
    wantsConstantRate: Bool = false, firstUpdate: FirstUpdate = .proportional,
    scope: Scope = .parameter, settings: GroupSettings = GroupSettings(),
    deviations: [String] = [], caveats: [String] = []
  ) {
    self.name = name
    self.paper = paper
    self.equation = equation
    self.hyperparameters = hyperparameters
    self.options = options
    self.state = state
    self.eligibility = eligibility
    self.observation = observation
    self.evaluatesAverage = evaluatesAverage
    self.wantsConstantRate = wantsConstantRate
    self.firstUpdate = firstUpdate
    self.scope = scope
    self.settings = settings
    self.deviations = deviations
    self.caveats = caveats
  }

  /// Which parameters a method takes.
  public enum Eligibility: Hashable, Sendable {
    /// Every one.
    case all
    /// Hidden matrices; the others go to the fallback of that name, with that method's own defaults.
    case hiddenMatrices(fallback: String)

    /// Whether a parameter of that role is taken.
    public func accepts(_ role: ParameterRole) -> Bool {
      self == .all || role.isHiddenMatrix
    }

    /// Whether a rule that names a role may give the method parameters of it: those it takes anyway, and gates, which are
    /// matrices as well.
    public func accepts(named role: ParameterRole) -> Bool { accepts(role) || role == .gate }

    /// The method for the parameters that are not taken.
    public var fallback: String? {
      if case .hiddenMatrices(let name) = self { return name }
      return nil
    }
  }

  /// Extra gradients that feed the state.
  public enum Observation: Hashable, Sendable {
    /// Every so many updates, before the update, with labels drawn from the model's own softmax; the hyperparameter says how many.
    case sampledLabels(every: String)
    /// On the first so many batches, before any update, with the true labels; the hyperparameter says how many.
    case firstBatches(count: String)
  }

  /// What the update of one number depends on, besides the scalars of its group.
  public enum Scope: Hashable, Sendable {
    /// On its own gradient and state: a parameter can be cut anywhere.
    case element
    /// On the whole parameter.
    case parameter
    /// On all parameters of the group.
    case group
  }

  /// What the first update does.
  public enum FirstUpdate: Hashable, Sendable {
    /// It moves the weights in proportion to the learning rate.
    case proportional
    /// It only starts the state.
    case startsState
  }

  /// The hyperparameters' defaults by name.
  public var defaults: [String: Double] {
    Dictionary(uniqueKeysWithValues: hyperparameters.map { ($0.name, $0.defaultValue) })
  }

  /// Every key a configuration may give: hyperparameters and options.
  public var keys: [String] { hyperparameters.map(\.name) + options.map(\.name) }

  /// Bytes of state for each number of a large square matrix.
  public var stateBytesPerParameter: Double {
    let parameter = Parameter(
      name: "w", role: .mlpIn, shape: [1024, 1024], initialization: .constant(0))
    return Double(state.bytes(parameter)) / Double(parameter.shape.count)
  }

  /// Hyperparameters completed with the card's defaults and checked.
  ///
  /// - Throws: ``OptimizerError`` for a name the card does not have, or a value outside its range.
  public func complete(_ given: [String: Double]) throws(OptimizerError) -> [String: Double] {
    var result = defaults
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard let declared = hyperparameters.first(where: { $0.name == name }) else {
        throw unknownKey(name)
      }
      guard declared.accepts(value) else {
        throw OptimizerError(
          .value, name: name,
          "\(name) of optimizer '\(self.name)' is \(value); it must lie in \(declared.rangeDescription)"
        )
      }
      result[name] = value
    }
    return result
  }

  func unknownKey(_ key: String) -> OptimizerError {
    OptimizerError(
      .unknownHyperparameter, name: key,
      "optimizer '\(name)' has no '\(key)';\(suggestion(for: key, among: keys)) it takes "
        + keys.joined(separator: ", "))
  }
}
