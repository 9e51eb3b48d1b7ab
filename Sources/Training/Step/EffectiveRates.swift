// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import Optimizers
public import TensorGraph

/// Effective learning rates by role: quantiles over the numbers or blocks of all parameters of the role.
///
/// Programs of their own, one for each role, compiled when first needed: measuring cannot change a run's bits. Methods without
/// a second moment have none.
public final class EffectiveRates {
  /// What was measured for one role.
  public struct Measurement: Equatable, Sendable, Codable {
    /// Quantiles of lr / (sqrt(v) + epsilon).
    public let quantiles: LogQuantiles
    /// How rates follow the frequencies of tokens, of a table or head with a rate for each row.
    ///
    /// The slope of the logarithm of a token's rate on -1/2 times the logarithm of its frequency; 1 where rates follow the
    /// inverse root of frequencies. Nil elsewhere, or with too few tokens.
    public let frequencySlope: Double?
  }

  private struct RoleProgram {
    let role: ParameterRole
    let executable: BoundProgram
    let members: [(parameter: Parameter, group: String)]
  }

  private let optimizer: Optimizer
  private let runtime: any Runtime
  private let frequencies: TokenFrequencies
  private var programs: [RoleProgram]?

  /// Prepares nothing yet.
  ///
  /// - Parameters:
  ///   - optimizer: whose state is read.
  ///   - frequencies: of the tokens that the run trains on.
  ///   - runtime: where the state is.
  public init(_ optimizer: Optimizer, frequencies: TokenFrequencies, runtime: any Runtime) {
    self.optimizer = optimizer
    self.frequencies = frequencies
    self.runtime = runtime
  }

  /// Measures the state after an update.
  ///
  /// - Parameter numbers: the scalars of that update, by their leaves' names.
  /// - Returns: a measurement for each role that has rates; groups that rested at that step are left out.
  /// - Throws: what the runtime throws when it compiles.
  public func measure(
    _ numbers: [String: Double]
  ) throws -> [ParameterRole: Measurement] {
    let programs = try self.programs ?? ParameterRole.allCases.compactMap(program)
    self.programs = programs
    var result: [ParameterRole: Measurement] = [:]
    for program in programs {
      let members = program.members.filter {
        numbers[Scalars.label("updates", group: $0.group)] != 0
      }
      if members.isEmpty { continue }
      program.executable.set(numbers)
      try program.executable.executable.run()
      let rates = members.map { member in
        program.executable.executable.output(label(member.parameter)).assumingMemoryBound(
          to: Float.self)
      }
      let slopes = zip(members, rates).compactMap { member, rates in
        slope(member.parameter, rates)
      }
      result[program.role] = Measurement(
        quantiles: LogQuantiles(rates), frequencySlope: slopes.first)
    }
    return result
  }

  private func slope(_ parameter: Parameter, _ rates: UnsafeBufferPointer<Float>) -> Double? {
    guard parameter.role.isTable, parameter.shape.rank == 2,
      rates.count % parameter.shape.rows == 0
    else { return nil }
    return frequencies.slope(ofRates: rates, rows: parameter.shape.rows)
  }

  private func label(_ parameter: Parameter) -> String { "effective_rate." + parameter.name }

  private func program(_ role: ParameterRole) throws -> RoleProgram? {
    let graph = Graph()
    let found = optimizer.effectiveRates(of: role, in: graph)
    if found.isEmpty { return nil }
    let program = try Program(
      graph: graph, outputs: found.map { (label($0.parameter), $0.rates) })
    return RoleProgram(
      role: role, executable: try BoundProgram(program, runtime),
      members: found.map { ($0.parameter, $0.group) })
  }
}
