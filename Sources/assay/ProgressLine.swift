// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A line that tells how far something is: rewritten in place for a person, one line an event otherwise.
final class ProgressLine {
  private var isOpen = false
  private var lastLength = 0
  private var lastEvent = ""
  private var lastTime: ContinuousClock.Instant?

  /// Shows a state.
  ///
  /// - Parameters:
  ///   - text: the whole line.
  ///   - event: what makes a new line worth it where no person watches; nothing is written while it stays the same.
  func show(_ text: String, event: String) {
    if Console.isTerminal {
      // Ten lines a second are more than anybody reads.
      let now = ContinuousClock.now
      if event == lastEvent, let lastTime, now - lastTime < .milliseconds(100) { return }
      lastTime = now
      let padding = String(repeating: " ", count: max(0, lastLength - text.count))
      Console.say(text + padding, end: "\r")
      lastLength = text.count
      isOpen = true
    } else if event != lastEvent {
      Console.say(text)
    }
    lastEvent = event
  }

  /// Leaves the last state standing and goes to the next line.
  func end() {
    if isOpen { Console.say("") }
    isOpen = false
    lastLength = 0
  }
}
