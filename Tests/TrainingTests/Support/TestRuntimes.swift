// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import TensorGraph
import Training

/// The runtimes that the same tests run on.
enum TestRuntime: String, CaseIterable, Sendable {
  /// Double precision, kept tensors rounded to single after every run as in a real runtime.
  case reference
  /// The CPU runtime.
  case cpu

  func make() throws -> any Runtime {
    switch self {
    case .reference: RoundingRuntime()
    case .cpu: try CPURuntime(threads: 2)
    }
  }

  var provider: RuntimeProvider {
    RuntimeProvider(prefersBFloat16: false) { _, _ in try make() }
  }
}

/// The reference runtime with memory: what is kept is single precision, so that a checkpoint holds all of it.
final class RoundingRuntime: Runtime {
  private let runtime = ReferenceRuntime()
  private var labels: Set<String> = []

  var summary: String { runtime.summary }
  var peakBytes: Int { runtime.peakBytes }
  func kept(_ label: String, for access: KeptAccess) -> UnsafeMutableRawBufferPointer? {
    runtime.kept(label, for: access)
  }

  func compile(_ program: Program) throws -> any Executable {
    for leaf in program.leaves where leaf.kind == .parameter || leaf.kind == .state {
      labels.insert(leaf.label)
    }
    let compiled = try runtime.compile(program)
    if program.assignments.isEmpty { return compiled }
    return RoundingExecutable(compiled) { [self] in
      for label in labels {
        if let values = runtime.kept64(label) {
          runtime.setKept64(label, values.map { Double(Float($0)) })
        }
      }
    }
  }
}

private final class RoundingExecutable: Executable {
  private let executable: any Executable
  private let round: () -> Void

  init(_ executable: any Executable, round: @escaping () -> Void) {
    self.executable = executable
    self.round = round
  }

  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? {
    executable.hostBuffer(label)
  }

  func start() throws { try executable.start() }

  func finish() throws {
    try executable.finish()
    round()
  }

  func output(_ label: String) -> UnsafeRawBufferPointer { executable.output(label) }
}
