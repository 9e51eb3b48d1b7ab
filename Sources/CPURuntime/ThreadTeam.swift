// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Work that a team shares: numbered units, each done by whichever lane comes first.
///
/// A unit writes only what belongs to it, so which lane does it never changes a bit.
struct SharedWork {
  /// How many units there are.
  let unitCount: Int
  /// Does one unit on one lane.
  let body: (_ unit: Int, _ lane: Int) -> Void
}

/// A fixed team of threads that runs lists of work with a meeting after each; lane 0 is the caller.
///
/// Lanes wait by spinning while a step runs (meetings are microseconds apart) and sleep between steps.
final class ThreadTeam {
  /// Threads, the caller included.
  let laneCount: Int
  private let shared: Shared

  /// Everything the lanes touch at once.
  ///
  /// Sendable by construction: atomics, and `work`, which lane 0 writes only while all others wait
  /// for the next generation.
  private final class Shared: @unchecked Sendable {
    let laneCount: Int
    let generation = Atomic<Int>(0)
    let arrived = Atomic<Int>(0)
    let meeting = Atomic<Int>(0)
    let next = Atomic<Int>(0)
    let stopping = Atomic<Bool>(false)
    let condition = NSCondition()
    var work: UnsafeBufferPointer<SharedWork> = .init(start: nil, count: 0)

    init(laneCount: Int) { self.laneCount = laneCount }

    /// All lanes meet; the last to arrive resets the unit counter for the next work.
    func meet() {
      if laneCount == 1 {
        next.store(0, ordering: .relaxed)
        return
      }
      let seen = meeting.load(ordering: .acquiring)
      if arrived.add(1, ordering: .acquiringAndReleasing).newValue == laneCount {
        arrived.store(0, ordering: .relaxed)
        next.store(0, ordering: .relaxed)
        meeting.store(seen + 1, ordering: .releasing)
        return
      }
      var spins = 0
      while meeting.load(ordering: .acquiring) == seen {
        spins += 1
        // A machine with fewer free cores than lanes must not burn the time of the lane that works.
        if spins % 2_000 == 0 { sched_yield() }
      }
    }

    func runAll(lane: Int) {
      for item in work {
        while true {
          let unit = next.add(1, ordering: .relaxed).oldValue
          if unit >= item.unitCount { break }
          item.body(unit, lane)
        }
        meet()
      }
    }

    func serve(lane: Int, prepare: () -> Void) {
      prepare()
      var seen = 0
      while true {
        var spins = 0
        while generation.load(ordering: .acquiring) == seen {
          spins += 1
          if spins < 20_000 { continue }
          condition.lock()
          while generation.load(ordering: .acquiring) == seen { condition.wait() }
          condition.unlock()
        }
        seen = generation.load(ordering: .acquiring)
        if stopping.load(ordering: .acquiring) { return }
        runAll(lane: lane)
      }
    }
  }

  /// Starts `laneCount - 1` threads; `prepare` runs once on every lane.
  init(laneCount: Int, prepare: @escaping @Sendable () -> Void) {
    precondition(laneCount >= 1, "a team needs a thread, not \(laneCount)")
    self.laneCount = laneCount
    let shared = Shared(laneCount: laneCount)
    self.shared = shared
    prepare()
    for lane in 1..<max(1, laneCount) {
      let thread = Thread { shared.serve(lane: lane, prepare: prepare) }
      thread.stackSize = 8 << 20
      thread.name = "assay lane \(lane)"
      thread.start()
    }
  }

  deinit {
    shared.stopping.store(true, ordering: .releasing)
    wake()
  }

  /// Runs all work, in order.
  func run(_ work: UnsafeBufferPointer<SharedWork>) {
    if work.isEmpty { return }
    shared.work = work
    if laneCount > 1 { wake() }
    shared.runAll(lane: 0)
  }

  private func wake() {
    shared.condition.lock()
    shared.generation.add(1, ordering: .acquiringAndReleasing)
    shared.condition.broadcast()
    shared.condition.unlock()
  }
}
