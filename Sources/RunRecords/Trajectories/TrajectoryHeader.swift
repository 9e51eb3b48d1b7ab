// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What the numbers of `trajectories.bin` are, in the order in which they stand there; and the run's stages and pauses, so that
/// runs can be aligned by nothing but their records.
public struct TrajectoryHeader: Codable, Equatable, Sendable {
  /// A parameter of the model.
  public struct Parameter: Codable, Equatable, Sendable {
    /// Its name.
    public var name: String
    /// Its role, as a configuration writes it, for example `scalar`.
    public var role: String
    /// The group of the optimizer that it is in.
    public var group: String
    /// Its shape.
    public var shape: [Int]

    /// Describes a parameter.
    public init(name: String, role: String, group: String, shape: [Int]) {
      self.name = name
      self.role = role
      self.group = group
      self.shape = shape
    }

    /// How many values it has.
    public var count: Int { shape.reduce(1, *) }

    /// The name of one of its values, without places in dimensions of size 1: `skip.lambda`, `residual_lambdas[3]`, `gate.weight[2,5]`.
    public func valueName(_ index: Int) -> String {
      if count == 1 { return name }
      var rest = index
      let places = shape.filter { $0 > 1 }.reversed().map { size in
        defer { rest /= size }
        return String(rest % size)
      }
      return "\(name)[\(places.reversed().joined(separator: ","))]"
    }
  }

  /// A stage of the run's schedule.
  public struct Stage: Codable, Equatable, Sendable {
    /// Its name.
    public var name: String
    /// Its first step, zero-based.
    public var firstStep: Int

    /// Describes a stage.
    public init(name: String, firstStep: Int) {
      self.name = name
      self.firstStep = firstStep
    }
  }

  /// Steps at which a group of parameters is left alone.
  public struct Pause: Codable, Equatable, Sendable {
    /// The group.
    public var group: String
    /// The first step of the pause.
    public var from: Int
    /// The first step after it.
    public var to: Int

    /// Describes a pause.
    public init(group: String, from: Int, to: Int) {
      self.group = group
      self.from = from
      self.to = to
    }
  }

  /// The version of the layout.
  public private(set) var format = 1
  /// The number of steps of the run.
  public var steps: Int
  /// Steps between two records of values.
  public var every: Int
  /// The stages of the run in order, the first from step 0 on.
  public var stages: [Stage]
  /// The pauses of the run.
  public var pauses: [Pause]
  /// Parameters whose values are recorded, all of them.
  public var parameters: [Parameter]
  /// Names of the numbers that a step was made with, recorded beside the values: `GROUP.learning_rate`, `batch_tokens`, ...
  public var numbers: [String]
  /// Parameters of which ``summaryNames`` are recorded, now and then.
  public var summarized: [Parameter]

  /// What is recorded of a parameter that is too large to be recorded whole: its norm, quantiles of the sizes of its values, and the
  /// largest.
  public static let summaryNames = ["norm", "q10", "q50", "q90", "q99", "q999", "max"]

  /// Describes a record.
  public init(
    steps: Int, every: Int, stages: [Stage], pauses: [Pause] = [], parameters: [Parameter],
    numbers: [String] = [], summarized: [Parameter] = []
  ) {
    self.steps = steps
    self.every = every
    self.stages = stages
    self.pauses = pauses
    self.parameters = parameters
    self.numbers = numbers
    self.summarized = summarized
  }

  /// The steps at which one stage follows another.
  public var transitions: [Int] {
    stages.dropFirst().map(\.firstStep).filter { $0 > 0 && $0 < steps }
  }
}
