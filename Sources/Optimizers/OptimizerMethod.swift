// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// An optimizer: equations over tensors, from gradients to new parameters and new state.
///
/// Equations are traced once. Every hyperparameter, and whatever the host derives from hyperparameters and the step, is a
/// run-time scalar: a sweep or a schedule never traces again. Options choose between equations and do.
///
/// Most methods write ``update(_:gradient:state:scalars:)`` and nothing else.
public protocol OptimizerMethod: Sendable {
  /// What is known about the method.
  static var card: OptimizerCard { get }

  /// Makes the method with options of its card.
  init(_ options: MethodOptions)

  /// What happens to one parameter.
  ///
  /// - Parameters:
  ///   - parameter: the current value, `w`.
  ///   - gradient: of the loss, after clipping, shaped like the parameter.
  ///   - state: makes state tensors and takes their new values.
  ///   - scalars: the run-time scalars.
  /// - Returns: usually `.step(u)` for w - (decay w + u).
  func update(
    _ parameter: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update

  /// What happens to all parameters of a group together.
  ///
  /// Methods that mix parameters (a step size measured over all of them) write this one; all others leave it as it is: every
  /// parameter by itself.
  func update(_ members: inout [GroupMember], shared: inout StateBuilder) -> [Update]

  /// The numbers that the host computes (in double precision) before each update, by name.
  ///
  /// - Parameters:
  ///   - hyperparameters: the values in force at this update, by the names of the card; schedules have been applied.
  ///   - update: the number of this update, counted from 1; skipped and paused steps do not count.
  ///   - memory: numbers that the host keeps from update to update (running products, sums of weights); empty at first.
  /// - Returns: every scalar that the equations read.
  func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double]

  /// Feeds an extra gradient, see ``OptimizerCard/observation``, to the state; never touches weights.
  func observe(
    _ parameter: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars)

  /// Which upkeep of the state follows an update; nil: none.
  func upkeep(after update: Int, _ hyperparameters: [String: Double]) -> Upkeep?

  /// Rare and expensive work on the state alone (a new eigenbasis), a program of its own.
  func maintain(
    _ parameter: Tensor, upkeep: Upkeep, state: inout StateBuilder, scalars: Scalars)

  /// The weights that evaluation, checkpoints for use and generation read; the trained ones unless the method averages.
  func evaluated(_ parameter: Tensor, state: inout StateBuilder, scalars: Scalars) -> Tensor

  /// What the method's scaling makes of the learning rate, after an update: lr / (sqrt(v) + epsilon) for a second moment v.
  ///
  /// Only reads state. Zhao et al., 2024 (https://arxiv.org/abs/2407.07972), figure 8, call it the effective learning rate.
  ///
  /// - Returns: one number for each number of the parameter, or for each block that shares a scale; nil where the method has
  ///   no such scale.
  func effectiveRate(
    _ parameter: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor?
}

/// What a method proposes for one parameter.
public enum Update {
  /// w becomes w - (decay w + step), with whatever masks the rule asks for.
  case step(Tensor)
  /// The new value; the method has applied the decay itself.
  case weights(Tensor)
}

/// The rare kinds of work on the state.
public enum Upkeep: String, Sendable, CaseIterable {
  /// After the first update.
  case first
  /// Every so many updates.
  case regular
}

/// One parameter of a group that is updated as a whole.
public struct GroupMember {
  /// The current value.
  public let parameter: Tensor
  /// Its gradient, after clipping.
  public let gradient: Tensor
  /// Its state.
  public var state: StateBuilder
  /// Its scalars.
  public let scalars: Scalars
}

extension OptimizerMethod {
  /// Makes the method with the card's own options.
  public init() { self.init(MethodOptions(Self.card)) }

  /// Every parameter by itself.
  public func update(_ members: inout [GroupMember], shared: inout StateBuilder) -> [Update] {
    members.indices.map { index in
      let member = members[index]
      return update(
        member.parameter, gradient: member.gradient, state: &members[index].state,
        scalars: member.scalars)
    }
  }

  /// The hyperparameters, and for every decay factor b its complement 1 - b and its bias correction.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    decayFactorScalars(hyperparameters, &memory)
  }

  /// `NAME`, `one_minus_NAME` and `NAME_correction` for every hyperparameter in [0, 1); the others as they are.
  ///
  /// The correction of an average that starts at zero is 1 minus the product of its factors so far: 1 - b^t where b is
  /// constant, and still exact where it is scheduled. All in double precision: in single precision 1 - b would lose up to
  /// four digits.
  public func decayFactorScalars(
    _ hyperparameters: [String: Double], _ memory: inout [String: Double]
  ) -> [String: Double] {
    var result = hyperparameters
    for factor in Self.card.hyperparameters where factor.isDecayFactor {
      let value = hyperparameters[factor.name] ?? factor.defaultValue
      let product = (memory["\(factor.name)_product"] ?? 1) * value
      memory["\(factor.name)_product"] = product
      result["one_minus_\(factor.name)"] = 1 - value
      result["\(factor.name)_correction"] = 1 - product
    }
    return result
  }

  /// No extra gradients.
  public func observe(
    _ parameter: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
  ) {}

  /// Never.
  public func upkeep(after update: Int, _ hyperparameters: [String: Double]) -> Upkeep? { nil }

  /// Nothing.
  public func maintain(
    _ parameter: Tensor, upkeep: Upkeep, state: inout StateBuilder, scalars: Scalars
  ) {}

  /// The trained weights.
  public func evaluated(
    _ parameter: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor { parameter }

  /// None.
  public func effectiveRate(
    _ parameter: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? { nil }
}
