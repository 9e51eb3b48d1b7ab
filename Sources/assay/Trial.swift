// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import Foundation
import Synchronization
import Training

/// `assay trial`, for `assay compare`.
struct TrialCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trial",
    abstract: "Runs one trial of a study, which it reads as JSON from standard input.",
    discussion: """
      A study starts this command for each of its trials. Standard input holds one object: "layers" (objects with "label" and \
      "text", TOML), "overrides" (section.key=value), "folder", "trial" (what trial.json is to hold), "threads" and \
      perhaps "limits" (validation losses, by step, above which it is stopped). Or a list of such objects, trials that share \
      their programs on a device behind a plugin of XLA; then every line on standard output names its trial under "trial".

      Standard output has one JSON object a line, with its kind under "event": started, step (at most four a second), \
      evaluation, warning, ended. Exit codes are those of 'assay train'.

      SIGTERM saves and ends the run as interrupted, SIGUSR1 as stopped by a rule of its study; so does the death of the \
      process that started it, as interrupted. The same command goes on with either.
      """,
    shouldDisplay: false)

  func run() throws {
    let stop = StopRequest.onSignals(isTrial: true)
    ParentWatch.start(stop)
    // Whoever read the lines is gone: the run ends as if its parent had died.
    signal(SIGPIPE, SIG_IGN)
    let output = Mutex(())
    let deliver = { @Sendable (line: String) in
      if output.withLock({ _ in !Console.deliver(line) }) { stop.request() }
    }
    let events = TrialEventStream(write: deliver)
    do {
      let requests = try TrialRequest.all(
        json: FileHandle.standardInput.readToEnd() ?? Data())
      if requests.count > 1 { return try run(TrialPack(requests), stop, deliver) }
      let request = requests[0]
      let configuration = try TrainingConfiguration(request.source())
      let summary = try TrainingRun.train(
        configuration, trial: request.trial, limits: request.limits ?? [], stop: stop,
        observer: events.observe)
      if summary.outcome != .finished { throw ExitCode(summary.outcome.exitCode) }
    } catch let code as ExitCode {
      throw code
    } catch {
      events.fail(error)
      throw error
    }
  }

  /// Several trials: the exit code is that of the first that did not finish.
  private func run(
    _ pack: TrialPack, _ stop: StopRequest, _ deliver: @escaping @Sendable (String) -> Void
  ) throws {
    let outcomes = pack.run(stop: stop, write: deliver)
    if outcomes.contains(nil) { throw ExitStatus.failed.exit }
    if let other = outcomes.compactMap(\.self).first(where: { $0 != .finished }) {
      throw ExitCode(other.exitCode)
    }
  }
}
