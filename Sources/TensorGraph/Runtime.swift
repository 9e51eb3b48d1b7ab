// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The two halves of a step.
public enum Stage: Sendable {
  /// Produces the outputs; changes nothing that is kept.
  case compute
  /// Carries out the assignments, from what `compute` left.
  case commit
}

/// Executes programs, and owns the tensors that are kept between steps.
///
/// Confined to one thread of the host: calls never overlap.
public protocol Runtime: AnyObject {
  /// For example `cpu, 2 threads, avx512`.
  var summary: String { get }

  /// Plans memory, chooses kernels and binds leaves. Parameters and states are found by label in the runtime and start
  /// as zeros when they are new.
  func compile(_ program: Program) throws -> any Executable

  /// The memory of a kept tensor, in its element type; nil when no program has it. Valid as long as the runtime lives.
  func kept(_ label: String) -> UnsafeMutableRawBufferPointer?

  /// The most bytes of tensors held at once since the start.
  var peakBytes: Int { get }
}

/// A compiled program.
public protocol Executable: AnyObject {
  /// Host memory of an input or a scalar leaf, written before a step; nil when the program does not use it.
  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer?

  /// Runs one stage.
  func run(_ stage: Stage)

  /// The memory of an output after `compute` (or after `commit` for outputs of kept tensors); valid until the next run.
  func output(_ label: String) -> UnsafeRawBufferPointer
}

extension Executable {
  /// A scalar output.
  public func scalar(_ label: String) -> Float {
    output(label).loadUnaligned(as: Float.self)
  }

  /// Sets a scalar leaf; without effect when the program does not use it.
  public func set(_ label: String, _ number: Float) {
    hostBuffer(label)?.storeBytes(of: number, as: Float.self)
  }
}
