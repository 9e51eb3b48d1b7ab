// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords

/// What a running trial has written so far, read on from where the last look ended.
final class TrialTail {
  /// A step with a number.
  struct Point: Equatable {
    var step: Int
    var value: Double
  }

  private let folder: String
  private var metrics: MetricsReader?
  private var timings: MetricsReader?
  private var inode: UInt64?
  /// Training losses, at most twice ``limit`` of them, evenly spread.
  private(set) var losses: [Point] = []
  private(set) var validations: [Point] = []
  /// Steps that are done.
  private(set) var steps = 0
  /// Milliseconds of the last steps, the newest last.
  private var paces: [Double] = []
  private(set) var tokensPerSecond: Double?
  private var stride = 1
  private var count = 0

  /// Points that a curve keeps at least.
  static let limit = 400

  init(_ folder: String) { self.folder = folder }

  /// Reads what has been added; whether there was anything.
  @discardableResult
  func read() -> Bool {
    let file = folder + "/" + RunFolder.FileName.metrics
    var status = stat()
    guard stat(file, &status) == 0 else { return false }
    // A trial that goes on from a checkpoint cuts its records back to it.
    if inode != UInt64(status.st_ino) || Int(status.st_size) < metrics?.position ?? 0 { restart() }
    inode = UInt64(status.st_ino)
    metrics = metrics ?? (try? MetricsReader(path: file))
    timings =
      timings ?? (try? MetricsReader(path: folder + "/" + RunFolder.FileName.timings))
    var isNew = false
    // A damaged line ends what can be read; the analysis names it.
    while let record = try? metrics?.next() {
      isNew = true
      add(record)
    }
    while let record = try? timings?.next() {
      guard let gradients = record.number("forwardBackwardMilliseconds") else { continue }
      paces.append(gradients + (record.number("optimizerMilliseconds") ?? 0))
      if paces.count > 32 { paces.removeFirst(paces.count - 32) }
      tokensPerSecond = record.number("tokensPerSecond")
    }
    return isNew
  }

  private func restart() {
    (metrics, timings, losses, validations, paces) = (nil, nil, [], [], [])
    (steps, stride, count, tokensPerSecond) = (0, 1, 0, nil)
  }

  private func add(_ record: MetricsRecord) {
    if let loss = record.number("validationLoss") {
      validations.append(Point(step: record.step, value: loss))
    }
    guard let loss = record.number("loss") else { return }
    steps = record.step + 1
    if count % stride == 0 { losses.append(Point(step: record.step, value: loss)) }
    count += 1
    if losses.count >= 2 * Self.limit {
      losses = losses.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
      stride *= 2
    }
  }

  /// Seconds for a number of steps at the median of the last ones; nil before the first.
  func seconds(for steps: Int) -> Double? {
    guard !paces.isEmpty else { return nil }
    return paces.sorted()[paces.count / 2] / 1000 * Double(max(0, steps))
  }
}
