// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Parameters that are updated by one method with one set of hyperparameters: what a rule of the policy becomes.
public struct ParameterGroup: Sendable {
  /// Unique in its optimizer.
  public let name: String
  /// The method; nil: these parameters are frozen, and nobody computes their gradients.
  public let method: (any OptimizerMethod)?
  /// The method's card; nil when frozen.
  public let card: OptimizerCard?
  /// The values of the card's hyperparameters before schedules.
  public let hyperparameters: [String: Double]
  /// The choices of the card's options.
  public let options: MethodOptions?
  /// What surrounds the method.
  public internal(set) var settings: GroupSettings
  /// Its parameters, in the model's order.
  public internal(set) var members: [Parameter]

  /// Makes a group with a method.
  public init(
    name: String, method: any OptimizerMethod.Type, hyperparameters: [String: Double],
    options: MethodOptions? = nil, settings: GroupSettings = GroupSettings(),
    members: [Parameter]
  ) {
    self.name = name
    let options = options ?? MethodOptions(method.card)
    self.method = method.init(options)
    card = method.card
    self.hyperparameters = hyperparameters
    self.options = options
    self.settings = settings
    self.members = members
  }

  /// Makes a frozen group.
  public init(frozen members: [Parameter], name: String) {
    self.name = name
    method = nil
    card = nil
    hyperparameters = [:]
    options = nil
    settings = GroupSettings()
    self.members = members
  }

  /// Whether weight decay applies to one of its parameters.
  public func decays(_ parameter: Parameter) -> Bool {
    settings.decays ?? parameter.role.decays
  }
}

/// What surrounds a method, the same for all methods.
public struct GroupSettings: Hashable, Sendable {
  /// Which entries of a proposed step are used.
  public enum Caution: String, Sendable, CaseIterable {
    /// All of them.
    case off
    /// Those whose sign agrees with the gradient's (Liang et al., 2024, https://arxiv.org/abs/2411.16085).
    case plain
    /// Those, divided by the share of entries that agree.
    case rescaled
  }

  /// Where weight decay acts.
  public enum DecayCaution: String, Sendable, CaseIterable {
    /// Everywhere.
    case off
    /// Where step and weight do not pull apart: step w >= 0.
    case inclusive
    /// Where both shrink the weight: step w > 0.
    case strict
  }

  /// What weight decay is multiplied by.
  public enum DecayScale: String, Sendable, CaseIterable {
    /// The learning rate.
    case learningRate = "learning-rate"
    /// Its square.
    case learningRateSquared = "learning-rate-squared"
  }

  /// Multiplies the learning rate.
  public var learningRateMultiplier = 1.0
  /// Multiplies the weight decay.
  public var weightDecayMultiplier = 1.0
  /// Whether weight decay applies; nil: to matrices and tables, not to gains and scalars.
  public var decays: Bool?
  /// Which entries of a step are used.
  public var caution = Caution.off
  /// Where decay acts.
  public var decayCaution = DecayCaution.off
  /// What decay is multiplied by.
  public var decayScale = DecayScale.learningRate
  /// The largest norm of the group's gradients, after the global clipping; nil: none.
  public var gradientClip: Double?
  /// The decay of an exponential average of the weights that evaluation uses; nil: none.
  public var averageDecay: Double?
  /// Updates at every so many steps, with the sum of the gradients since the last.
  public var every = 1
  /// Whether a schedule can pause it, so that it makes no updates.
  public var isPausable = false
  /// Whether a schedule can put zeros in the place of its gradients.
  public var canBeSilenced = false

  /// Nothing around the method.
  public init() {}

  /// Whether there are steps at which it does not update.
  public var rests: Bool { every > 1 || isPausable }

  /// Whether there are steps whose gradients do not count.
  var canIgnoreGradients: Bool { isPausable || canBeSilenced }
}

extension GroupSettings {
  /// Settings that somebody gave; nil: as it was.
  public struct Changes: Hashable, Sendable {
    /// Multiplies the learning rate.
    public var learningRateMultiplier: Double?
    /// Multiplies the weight decay.
    public var weightDecayMultiplier: Double?
    /// Whether weight decay applies.
    public var decays: Bool?
    /// Which entries of a step are used.
    public var caution: Caution?
    /// Where decay acts.
    public var decayCaution: DecayCaution?
    /// What decay is multiplied by.
    public var decayScale: DecayScale?
    /// The largest norm of the group's gradients; infinity: none.
    public var gradientClip: Double?
    /// The decay of an average of the weights; 0: none.
    public var averageDecay: Double?
    /// Updates at every so many steps.
    public var every: Int?

    /// No change.
    public init() {}

    /// Settings with these changes.
    public func applied(to settings: GroupSettings) -> GroupSettings {
      var result = settings
      result.learningRateMultiplier = learningRateMultiplier ?? settings.learningRateMultiplier
      result.weightDecayMultiplier = weightDecayMultiplier ?? settings.weightDecayMultiplier
      result.decays = decays ?? settings.decays
      result.caution = caution ?? settings.caution
      result.decayCaution = decayCaution ?? settings.decayCaution
      result.decayScale = decayScale ?? settings.decayScale
      if let gradientClip { result.gradientClip = gradientClip.isFinite ? gradientClip : nil }
      if let averageDecay { result.averageDecay = averageDecay > 0 ? averageDecay : nil }
      result.every = every ?? settings.every
      return result
    }
  }
}
