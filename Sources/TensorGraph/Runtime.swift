// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The two halves of a run, as far as the order of a program's nodes is concerned.
public enum Stage: Sendable {
  /// Produces the outputs and the condition; changes nothing that is kept.
  case compute
  /// Carries out the assignments, from what `compute` left.
  case commit
}

/// What the host is about to do with a kept tensor.
public enum KeptAccess: Sendable {
  /// Looks at the values, and leaves them alone.
  case reading
  /// Overwrites every value without looking at the old ones.
  case writing
  /// Looks at the values and changes some.
  case readingAndWriting
}

/// Executes programs, and owns the tensors that are kept between runs.
///
/// Confined to one thread of the host: calls never overlap.
public protocol Runtime: AnyObject {
  /// For example `cpu, 2 threads, avx512`.
  var summary: String { get }

  /// Plans memory, chooses kernels and binds leaves. Parameters and states are found by label in the runtime and start
  /// as zeros when they are new.
  func compile(_ program: Program) throws -> any Executable

  /// The host's view of a kept tensor, in its element type; valid until the next run of any program of this runtime.
  ///
  /// A runtime whose tensors live elsewhere fetches the values for `reading`. What is written counts from the next run on.
  ///
  /// - Parameters:
  ///   - label: of a parameter or state.
  ///   - access: what the host will do with it; anything else that it does may be lost.
  /// - Returns: the values; nil when no program has the tensor.
  /// - Throws: what the runtime throws when the values cannot be brought to the host.
  func kept(_ label: String, for access: KeptAccess) throws -> UnsafeMutableRawBufferPointer?

  /// The most bytes of tensors held at once since the start.
  var peakBytes: Int { get }

  /// Which process this is of those that form the run together, from 0, and how many there are.
  ///
  /// All run the same programs and ask for the same kept tensors in the same order; the first writes records.
  var process: (index: Int, count: Int) { get }

  /// What the first process says, where processes might see different things: clocks, signals, files.
  ///
  /// - Parameters:
  ///   - question: names what is asked, once in a run.
  ///   - number: what this process would say; only the first's counts.
  /// - Returns: the first's number.
  /// - Throws: what the runtime throws when the first process is gone.
  func agreed(_ question: String, on number: Int) throws -> Int
}

extension Runtime {
  /// One alone.
  public var process: (index: Int, count: Int) { (0, 1) }

  /// Its own number: there is nobody else.
  public func agreed(_ question: String, on number: Int) throws -> Int { number }

  /// Whether this process writes records and checkpoints.
  public var isFirstProcess: Bool { process.index == 0 }
}

/// A compiled program.
///
/// A run takes what the host buffers hold, produces the outputs, and carries out the assignments where the program's
/// condition allows it. Runs of all programs of a runtime happen in the order in which they were started.
public protocol Executable: AnyObject {
  /// Host memory of an input or a scalar leaf, written before a run; nil when the program does not use it.
  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer?

  /// Starts a run with what the host buffers hold now.
  ///
  /// A runtime that can returns before the run is done; the host may fill the buffers again at once.
  ///
  /// - Throws: what the runtime throws when the run cannot be started.
  func start() throws

  /// Waits for the oldest run that was started and not finished, and makes its outputs readable.
  ///
  /// - Throws: what the runtime throws when the run failed.
  func finish() throws

  /// The memory of an output of the last finished run, until the next is finished. An output that is itself a kept tensor
  /// shows what is kept after the run, until the next one of any program is started.
  func output(_ label: String) -> UnsafeRawBufferPointer

  /// Seconds that the assignments and all that only they need took in the last finished run; nil where the runtime cannot
  /// tell them from the rest.
  var commitSeconds: Double? { get }

  /// Whether `start` returns before the run is done, so that the host can do other things meanwhile, and further runs may be started
  /// before it is finished. Where it is false, every run is finished before the next is started.
  var runsAhead: Bool { get }
}

extension Executable {
  /// Unknown.
  public var commitSeconds: Double? { nil }

  /// It does not.
  public var runsAhead: Bool { false }

  /// Starts a run and waits for it.
  ///
  /// - Throws: what `start` and `finish` throw.
  public func run() throws {
    try start()
    try finish()
  }

  /// A scalar output.
  public func scalar(_ label: String) -> Float {
    output(label).loadUnaligned(as: Float.self)
  }

  /// Sets a scalar leaf; without effect when the program does not use it.
  public func set(_ label: String, _ number: Float) {
    hostBuffer(label)?.storeBytes(of: number, as: Float.self)
  }
}
