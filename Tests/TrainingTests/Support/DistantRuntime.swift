// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import TensorGraph

/// The CPU runtime behind the manners of a device: the host sees copies of what is kept, and only until the next run.
///
/// A view for reading is fetched, one for writing holds garbage until it is written, and what was written arrives with the next run,
/// which spoils every view. Outputs are copies that the next run of the same program spoils. So whoever holds a view for longer than
/// allowed, or reads what was only to be written, finds not-a-numbers.
final class DistantRuntime: Runtime {
  private final class View {
    let memory: UnsafeMutableRawBufferPointer
    var access: KeptAccess

    init(_ memory: UnsafeMutableRawBufferPointer, _ access: KeptAccess) {
      (self.memory, self.access) = (memory, access)
    }

    deinit { memory.deallocate() }
  }

  private let base: CPURuntime
  private var views: [String: View] = [:]
  /// Spoiled views stay allocated, so that a late reader finds what it must not use rather than a crash.
  private var spoiled: [View] = []

  init() throws { base = try CPURuntime(threads: 2) }

  var summary: String { base.summary }
  var peakBytes: Int { base.peakBytes }

  func compile(_ program: Program) throws -> any Executable {
    DistantExecutable(try base.compile(program), program) { [self] in deliver() }
  }

  func kept(_ label: String, for access: KeptAccess) -> UnsafeMutableRawBufferPointer? {
    guard let near = base.kept(label, for: access) else { return nil }
    if let view = views[label] {
      if access != .reading { view.access = .readingAndWriting }
      return view.memory
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: near.count, alignment: 64)
    if access == .writing {
      memory.spoil()
    } else {
      memory.copyMemory(from: UnsafeRawBufferPointer(near))
    }
    views[label] = View(memory, access)
    return memory
  }

  /// Sends what was written, and spoils all views.
  private func deliver() {
    for (label, view) in views {
      if view.access != .reading {
        base.kept(label, for: .writing)?.copyMemory(from: UnsafeRawBufferPointer(view.memory))
      }
      view.memory.spoil()
      spoiled.append(view)
    }
    views = [:]
  }
}

private final class DistantExecutable: Executable {
  private let base: any Executable
  private let deliver: () -> Void
  private let host: [String: UnsafeMutableRawBufferPointer]
  private let outputs: [String: UnsafeMutableRawBufferPointer]
  /// Outputs of runs that were started and not finished, the oldest first.
  private var pending: [[String: [UInt8]]] = []

  init(_ base: any Executable, _ program: Program, deliver: @escaping () -> Void) {
    self.base = base
    self.deliver = deliver
    func room(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      return memory
    }
    host = program.leaves.reduce(into: [:]) { found, leaf in
      found[leaf.label] = base.hostBuffer(leaf.label).map { room($0.count) }
    }
    outputs = program.outputs.reduce(into: [:]) { found, output in
      found[output.label] = room(output.tensor.type.byteCount)
    }
  }

  deinit { for memory in [host, outputs].joined() { memory.value.deallocate() } }

  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? { host[label] }

  func start() throws {
    deliver()
    for (label, memory) in host {
      base.hostBuffer(label)?.copyMemory(from: UnsafeRawBufferPointer(memory))
    }
    for memory in outputs.values { memory.spoil() }
    try base.run()
    pending.append(
      outputs.keys.reduce(into: [:]) { found, label in
        found[label] = Array(
          UnsafeRawBufferPointer(
            rebasing: base.output(label)[0..<(outputs[label]?.count ?? 0)]))
      })
  }

  func finish() throws {
    let oldest = pending.removeFirst()
    for (label, memory) in outputs { memory.copyBytes(from: oldest[label] ?? []) }
  }

  /// The host goes on while it works, and may start further runs.
  var runsAhead: Bool { true }

  func output(_ label: String) -> UnsafeRawBufferPointer {
    guard let memory = outputs[label] else { preconditionFailure("there is no output '\(label)'") }
    return UnsafeRawBufferPointer(memory)
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Fills it with bytes that are not a number in any floating-point type.
  fileprivate func spoil() { initializeMemory(as: UInt8.self, repeating: 0xff) }
}
