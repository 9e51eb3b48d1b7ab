// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Where the processor time of a program goes, kernel by kernel.
///
/// Times are of the lane's own processor clock, so that what other programs on the machine do is not counted.
public struct StepProfile: Sendable {
  /// One kind of kernel.
  public struct Entry: Sendable {
    /// The class of work.
    public let category: String
    /// The kernel: an operation's name, or a product's sizes M x N x K.
    public let label: String
    /// Times it ran, counted in units.
    public var units: Int
    /// Processor seconds over all lanes.
    public var seconds: Double
  }

  /// Entries, the most expensive first.
  public let entries: [Entry]

  /// Processor seconds in all.
  public var seconds: Double { entries.reduce(0) { $0 + $1.seconds } }

  /// Processor seconds by class of work, the most expensive first.
  public var byCategory: [(category: String, seconds: Double)] {
    Dictionary(grouping: entries, by: \.category)
      .map { (category: $0.key, seconds: $0.value.reduce(0) { $0 + $1.seconds }) }
      .sorted { ($1.seconds, $0.category) < ($0.seconds, $1.category) }
  }
}

/// Collects times while a program runs; every lane writes its own counters.
final class ProfileRecorder {
  private struct Key: Hashable {
    let category: String
    let label: String
  }

  private let laneCount: Int
  private var slots: [Key: Int] = [:]
  private var seconds: [[Double]] = []
  private var memory: [UnsafeMutablePointer<Double>] = []

  init(laneCount: Int) { self.laneCount = laneCount }

  deinit { memory.forEach { $0.deallocate() } }

  /// Wraps a kernel's body with a clock.
  func timed(
    _ kernel: KernelPlan, _ run: @escaping (Range<Int>, Int, Int) -> Void
  ) -> (Range<Int>, Int, Int) -> Void {
    let key = Key(category: kernel.category.rawValue, label: kernel.label)
    let slot = slots[key] ?? memory.count
    if slot == memory.count {
      slots[key] = slot
      // Seconds and units of each lane, a cache line apart.
      let counters = UnsafeMutablePointer<Double>.allocate(capacity: laneCount * 8)
      counters.initialize(repeating: 0, count: laneCount * 8)
      memory.append(counters)
    }
    let counters = memory[slot]
    return { rows, unit, lane in
      let begin = ProfileRecorder.now()
      run(rows, unit, lane)
      counters[lane * 8] += ProfileRecorder.now() - begin
      counters[lane * 8 + 1] += 1
    }
  }

  /// What was collected since the last call.
  func take() -> StepProfile {
    var entries: [StepProfile.Entry] = []
    for (key, slot) in slots {
      var entry = StepProfile.Entry(
        category: key.category, label: key.label, units: 0, seconds: 0)
      for lane in 0..<laneCount {
        entry.seconds += memory[slot][lane * 8]
        entry.units += Int(memory[slot][lane * 8 + 1])
        memory[slot][lane * 8] = 0
        memory[slot][lane * 8 + 1] = 0
      }
      entries.append(entry)
    }
    return StepProfile(
      entries: entries.sorted { ($1.seconds, $0.label) < ($0.seconds, $1.label) })
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// An executable whose two stages the host can also run apart, to measure them.
public protocol StagedExecutable: Executable {
  /// Runs one stage with what the host buffers hold: `compute`, and then, whatever the program's condition says, `commit`.
  func run(_ stage: Stage)
}

/// An executable that can tell where its time goes.
public protocol ProfiledExecutable: StagedExecutable {
  /// Starts collecting; each kernel costs two looks at a clock more from now on.
  func startProfile()

  /// What was collected since the start or the last call; nil when never started.
  func takeProfile() -> StepProfile?

  /// Bytes that the kernels of a stage read and write, every buffer counted once for each kernel.
  func movedBytes(_ stage: Stage) -> Int
}
