// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Several runs of one experiment in one program: they read the same text and differ in numbers, such as seeds and learning rates.
///
/// Each run has a runtime of its own and is driven by a thread of its own, as if it were alone. When all runs want to run a program, it
/// runs once for all of them. A run that ends early leaves, and the others go on. Where runs want different programs, as when one
/// has skipped a step and so does without a measurement that the others make, the program that has run least often goes first, for
/// the others wait meanwhile and all meet again at the step. Where they have different text in the same program, it runs for one text
/// after the other.
public final class RunGroup: @unchecked Sendable {
  private enum Request {
    case compile(Program)
    case start(DeviceProgram)
  }

  private enum Answer {
    case compiled(DeviceProgram)
    case started(Dispatch)
    case failed(any Error)
  }

  /// Runs in the group.
  public let count: Int
  private let store: DeviceStore
  private let condition = NSCondition()
  private var present: Set<Int>
  private var requests: [Int: Request] = [:]
  private var answers: [Int: Answer] = [:]
  private let meeting: () -> Void

  /// Finds the plugin of a device and opens it for a number of runs.
  ///
  /// - Parameters:
  ///   - device: `xla:cpu`, `xla:cuda` or `xla:FILE.so`.
  ///   - count: runs that share every program.
  ///   - devices: of how many devices share each program; where they divide the runs, each has its share of them.
  ///   - sharding: what is cut among them where they do not.
  ///   - meeting: is called whenever all runs wait for a program, before it runs: what it changes, all of them see changed
  ///     between the same two programs.
  /// - Throws: ``XLAError`` when there is no such plugin, or too few devices.
  public convenience init(
    device: String, count: Int, devices: Int = 1, sharding: ShardingRules = ShardingRules(),
    meeting: @escaping () -> Void = {}
  ) throws {
    try self.init(
      client: Client.start(device: device, devices: devices).client, count: count,
      devices: devices, sharding: sharding, cache: ProgramCache.ofUser(), meeting: meeting)
  }

  init(
    client: Client, count: Int, devices: Int = 1, sharding: ShardingRules = ShardingRules(),
    cache: ProgramCache? = nil, meeting: @escaping () -> Void = {}
  ) throws {
    precondition(count >= 1, "\(count) runs")
    self.count = count
    self.meeting = meeting
    store = try DeviceStore(
      client, devices: devices, sharding: sharding, runs: count, cache: cache)
    present = Set(0..<count)
  }

  /// Bytes of all runs' kept tensors on the device that holds most.
  var keptBytesOnEachDevice: Int { store.peakBytes - store.temporaryPeak }

  /// The runtime of one run, for one thread.
  public func runtime(_ run: Int) -> any Runtime { XLARuntime(store: store, run: run, group: self) }

  /// Tells the others not to wait for a run any more, once it has read all that it wants of its kept tensors.
  public func leave(_ run: Int) {
    condition.lock()
    defer { condition.unlock() }
    present.remove(run)
    serveWhenAllWait()
  }

  /// While no other run uses the devices.
  func exclusively<Result>(_ body: () throws -> Result) rethrows -> Result {
    condition.lock()
    defer { condition.unlock() }
    return try body()
  }

  func compile(_ program: Program, run: Int) throws -> DeviceProgram {
    switch answer(to: .compile(program), run) {
    case .compiled(let program): return program
    case .failed(let error): throw error
    case .started: preconditionFailure("a run was started that was to be compiled")
    }
  }

  func start(_ program: DeviceProgram, run: Int) throws -> Dispatch {
    switch answer(to: .start(program), run) {
    case .started(let dispatch): return dispatch
    case .failed(let error): throw error
    case .compiled: preconditionFailure("a program was compiled that was to be run")
    }
  }

  private func answer(to request: Request, _ run: Int) -> Answer {
    condition.lock()
    defer { condition.unlock() }
    precondition(present.contains(run), "run \(run) has left its group")
    requests[run] = request
    serveWhenAllWait()
    while true {
      if let answer = answers.removeValue(forKey: run) { return answer }
      condition.wait()
    }
  }

  private func serveWhenAllWait() {
    guard !requests.isEmpty, Set(requests.keys) == present else { return }
    meeting()
    var programs: [Int: Program] = [:]
    var starts: [ObjectIdentifier: (program: DeviceProgram, runs: Set<Int>)] = [:]
    for (run, request) in requests {
      switch request {
      case .compile(let program): programs[run] = program
      case .start(let program):
        starts[ObjectIdentifier(program), default: (program, [])].runs.insert(run)
      }
    }
    if programs.isEmpty {
      let rarest = starts.values.min {
        ($0.program.dispatchCount, $0.runs.min() ?? 0)
          < ($1.program.dispatchCount, $1.runs.min() ?? 0)
      }
      if let rarest { start(rarest.program, rarest.runs) }
    } else {
      compile(programs)
    }
    for run in answers.keys { requests[run] = nil }
    condition.broadcast()
  }

  private func start(_ program: DeviceProgram, _ runs: Set<Int>) {
    for alike in program.withEqualInputs(runs) {
      let answer: Answer
      do {
        answer = .started(try program.dispatch(active: alike))
      } catch {
        answer = .failed(error)
      }
      for run in alike { answers[run] = answer }
    }
  }

  /// Compiles once what all runs that ask have in common.
  private func compile(_ programs: [Int: Program]) {
    guard let first = programs.min(by: { $0.key < $1.key }) else { return }
    do {
      let compiled = try store.compile(first.value)
      for (run, program) in programs {
        let isSame =
          try run == first.key || store.lower(program).text == compiled.lowered.text
        answers[run] =
          isSame
          ? .compiled(compiled)
          : .failed(
            XLAError(
              .setting,
              "runs \(first.key) and \(run) of a batch have different programs: runs that share a program may differ in "
                + "seeds and in numbers that are read at every step, such as learning rates, and in nothing else"
            ))
      }
    } catch {
      for run in programs.keys { answers[run] = .failed(error) }
    }
  }
}
