// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// An optimizer: equations over tensors, from gradients to new parameters and new state.
///
/// Equations are traced once. Every hyperparameter, and whatever the host derives from hyperparameters and the step, is a
/// run-time scalar: a sweep or a schedule never traces again.
public protocol OptimizerMethod: Sendable {
  /// What is known about the method.
  static var card: OptimizerCard { get }

  /// Makes the method.
  init()

  /// The numbers that the host computes (in double precision) before each step, by name.
  ///
  /// - Parameters:
  ///   - hyperparameters: the values in force at this step, by the names of the card; schedules have been applied.
  ///   - update: the number of this update, counted from 1; skipped steps do not count.
  /// - Returns: every scalar that the equations read.
  func scalars(_ hyperparameters: [String: Double], update: Int) -> [String: Double]

  /// The new value of one parameter.
  ///
  /// - Parameters:
  ///   - parameter: the current value, `w`.
  ///   - gradient: of the loss, after clipping, shaped like the parameter.
  ///   - state: makes state tensors and takes their new values.
  ///   - scalars: the run-time scalars.
  /// - Returns: the new value.
  func update(
    _ parameter: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor

  /// The new values of all parameters together; methods that mix parameters (a step size measured over all of them) write
  /// this one, all others leave it as it is: every parameter by itself.
  func update(
    _ parameters: [Tensor], gradients: [Tensor], states: inout [StateBuilder], scalars: [Scalars]
  ) -> [Tensor]

  /// The weights that evaluation, checkpoints for use and generation read; the trained ones unless the method averages.
  func evaluated(_ parameter: Tensor, state: inout StateBuilder, scalars: Scalars) -> Tensor
}

extension OptimizerMethod {
  /// Every parameter by itself.
  public func update(
    _ parameters: [Tensor], gradients: [Tensor], states: inout [StateBuilder], scalars: [Scalars]
  ) -> [Tensor] {
    parameters.indices.map { index in
      update(
        parameters[index], gradient: gradients[index], state: &states[index],
        scalars: scalars[index])
    }
  }

  /// The trained weights.
  public func evaluated(
    _ parameter: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor { parameter }

  /// Hyperparameters completed with the card's defaults and checked.
  ///
  /// - Throws: ``OptimizerError`` for a name the card does not have, or a value outside its range.
  public static func complete(
    _ given: [String: Double]
  ) throws(OptimizerError) -> [String: Double] {
    var result = card.defaults
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard let declared = card.hyperparameters.first(where: { $0.name == name }) else {
        let known = card.hyperparameters.map(\.name)
        throw OptimizerError(
          .unknownHyperparameter, name: name,
          "optimizer '\(card.name)' has no '\(name)';\(suggestion(for: name, among: known)) it takes "
            + known.joined(separator: ", "))
      }
      guard declared.accepts(value) else {
        throw OptimizerError(
          .value, name: name,
          "\(name) of optimizer '\(card.name)' is \(value); it must lie in \(declared.rangeDescription)"
        )
      }
      result[name] = value
    }
    return result
  }
}
