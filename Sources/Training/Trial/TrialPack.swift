// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Synchronization
import XLARuntime

/// Trials of a study that run in one process and share every program: each with its folder, records, checkpoints and end, as if it were
/// alone.
///
/// Each trial has a thread, and all are at the same step. One that ends early leaves the others alone, and one that fails too.
public struct TrialPack: Sendable {
  /// What was asked.
  public let requests: [TrialRequest]

  /// Takes trials.
  ///
  /// - Precondition: there are some.
  public init(_ requests: [TrialRequest]) {
    precondition(!requests.isEmpty, "a pack without trials")
    self.requests = requests
  }

  /// Runs all trials to their ends.
  ///
  /// - Parameters:
  ///   - stop: asks all trials for the end; they save after the same step.
  ///   - write: takes what happens, one line at a time, each with the name of its trial, from any thread.
  /// - Returns: how each trial ended; nil where an error ended it.
  public func run(
    stop: StopRequest, write: @escaping @Sendable (String) -> Void
  ) -> [TrainingOutcome?] {
    let streams = requests.map { request in
      TrialEventStream(trial: request.trial.identity) { line in write(line) }
    }
    let meetings = Meetings(stop)
    let configurations: [TrainingConfiguration]
    let group: RunGroup
    do {
      configurations = try requests.map { try TrainingConfiguration($0.source()) }
      try Self.check(configurations)
      let machine = configurations[0].machine
      group = try RunGroup(
        device: machine.device, count: requests.count, devices: machine.devices,
        sharding: machine.shardingRules
      ) { meetings.take() }
    } catch {
      for stream in streams { stream.fail(error) }
      return requests.map { _ in nil }
    }
    let tasks = requests.indices.map { index in
      PackedTrial(
        requests[index], configurations[index], streams[index], group, index, meetings)
    }
    for task in tasks {
      let thread = Thread { task.run() }
      thread.stackSize = 64 << 20
      thread.start()
    }
    return tasks.map { $0.outcome() }
  }

  /// Trials of a pack are for the same devices; whoever made it has looked at the rest.
  private static func check(_ configurations: [TrainingConfiguration]) throws(TrainingError) {
    let first = configurations[0].machine
    for machine in configurations.map(\.machine) {
      guard machine.usesXLA, machine.device == first.device, machine.devices == first.devices else {
        throw TrainingError(
          .request,
          "trials for machine.device '\(first.device)' with \(first.devices) devices and '\(machine.device)' with "
            + "\(machine.devices) cannot share a program; ask for each alone, or give both the same devices behind a plugin of XLA"
        )
      }
    }
  }
}

/// What the trials of a pack learn when all of them wait for a program: then all learn it at the same step.
private final class Meetings: Sendable {
  /// What the runs are asked.
  let stop = StopRequest()
  private let outer: StopRequest
  private let time = Mutex(ContinuousClock.now)

  init(_ outer: StopRequest) { self.outer = outer }

  /// The time of the last meeting.
  var now: ContinuousClock.Instant { time.withLock { $0 } }

  func take() {
    time.withLock { $0 = .now }
    if let kind = outer.kind { stop.request(kind) }
  }
}

/// A trial on its thread: everything it holds is its own, but for what is made for several threads.
private final class PackedTrial: @unchecked Sendable {
  private let request: TrialRequest
  private let configuration: TrainingConfiguration
  private let events: TrialEventStream
  private let group: RunGroup
  private let index: Int
  private let meetings: Meetings
  private let done = DispatchSemaphore(value: 0)
  private var result: TrainingOutcome?

  init(
    _ request: TrialRequest, _ configuration: TrainingConfiguration, _ events: TrialEventStream,
    _ group: RunGroup, _ index: Int, _ meetings: Meetings
  ) {
    self.request = request
    self.configuration = configuration
    self.events = events
    self.group = group
    self.index = index
    self.meetings = meetings
  }

  /// Runs the trial; afterwards nobody waits for it any more.
  func run() {
    let plain = RuntimeProvider(configuration.machine)
    let provider = RuntimeProvider(prefersBFloat16: plain.prefersBFloat16) { [group, index] _, _ in
      group.runtime(index)
    }
    do {
      result = try TrainingRun.train(
        configuration, trial: request.trial, limits: request.limits ?? [], runtime: provider,
        stop: meetings.stop, observer: events.observe, now: { [meetings] in meetings.now }
      ).outcome
    } catch {
      events.fail(error)
    }
    group.leave(index)
    done.signal()
  }

  /// Waits for the end.
  func outcome() -> TrainingOutcome? {
    done.wait()
    return result
  }
}
