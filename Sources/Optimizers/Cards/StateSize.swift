// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// How much state a method keeps for a parameter.
public struct StateSize: Sendable {
  /// In words, for example `8 bytes a number`.
  public let description: String
  private let formula: @Sendable (Parameter, MethodOptions?) -> Int

  /// A size with its own formula: bytes for a parameter under some options; nil: the standard ones.
  public init(
    _ description: String, bytes: @escaping @Sendable (Parameter, MethodOptions?) -> Int
  ) {
    self.description = description
    formula = bytes
  }

  /// So many fp32 numbers for each number of the parameter.
  public static func perNumber(_ count: Int) -> StateSize {
    StateSize("\(4 * count) bytes a number") { parameter, _ in 4 * count * parameter.shape.count }
  }

  /// Bytes for one parameter.
  public func bytes(_ parameter: Parameter, _ options: MethodOptions? = nil) -> Int {
    formula(parameter, options)
  }
}
