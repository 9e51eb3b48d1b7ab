// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Schedules
import TensorFiles

/// The course of the learning rate, whatever its peak.
extension RunContract {
  /// Kind, warm-up and end in words and a checksum of the curve.
  ///
  /// The commonest among the groups, and then those of groups that differ from it, by name: which other groups there are is not a
  /// matter of the schedule.
  var schedule: String {
    var curves: [(words: String, groups: [String])] = []
    for group in definition.optimizer.trained {
      let words = schedule(of: group)
      if let index = curves.firstIndex(where: { $0.words == words }) {
        curves[index].groups.append(group.name)
      } else {
        curves.append((words, [group.name]))
      }
    }
    guard let most = curves.map(\.groups.count).max(),
      let common = curves.firstIndex(where: { $0.groups.count == most })
    else { return "none" }
    let first = curves.remove(at: common).words
    return ([first] + curves.map { "\($0.groups.joined(separator: ", ")): \($0.words)" })
      .joined(separator: "; ")
  }

  private func schedule(of group: ParameterGroup) -> String {
    let run = configuration.schedule.run
    let steps = Curve.steps(of: configuration.training.steps)
    let hasOwn = run.value(of: ScheduledScalar.learningRate, group: group.name, at: 0) != nil
    let values = steps.map { step in
      let own = run.value(of: ScheduledScalar.learningRate, group: group.name, at: step)
      return own ?? run.learningRateFactor(at: step)
    }
    let peak = values.max() ?? 0
    let relative = peak > 0 ? values.map { $0 / peak } : values
    let pauses = run.pauseSpans(of: group.name).map { span in
      "pause \(span.steps.lowerBound)..<\(span.steps.upperBound)"
        + (span.mode == .zeroGradients ? " with zero gradients" : "")
    }
    let words = [
      hasOwn ? "own course" : configuration.schedule.kind.rawValue,
      "warm-up \(Curve.rounded(share(of: relative)))",
      "end \(Curve.rounded(relative.last ?? 0))", Curve.checksum(relative),
    ]
    return (words + pauses).joined(separator: ", ")
  }

  /// The share of the run before the peak is reached for the first time.
  private func share(of relative: [Double]) -> Double {
    let first = relative.firstIndex { $0 >= 1 - 1e-9 } ?? 0
    return Double(first == 0 ? 0 : first + 1) / Double(max(1, relative.count))
  }
}

/// Numbers over the steps of a run, for comparing.
enum Curve {
  /// More points than that say nothing more about a curve.
  private static let points = 8192

  /// The steps at which a curve of a run is looked at: all of them, or evenly spaced ones with the first and the last.
  static func steps(of count: Int) -> [Int] {
    if count <= points { return Array(0..<count) }
    return (0..<points).map { Int((Double($0) / Double(points - 1) * Double(count - 1)).rounded()) }
  }

  /// A checksum of numbers to six digits after the point.
  static func checksum(_ values: [Double]) -> String {
    var checksum = FileChecksum()
    for value in values {
      // What lies half-way between two such numbers must not be rounded up here and down there.
      let digits = (value * 1e6 + 1e-4).rounded()
      withUnsafeBytes(of: digits) { checksum.update($0) }
    }
    return checksum.hexadecimal
  }

  /// A number to four digits after the point.
  static func rounded(_ value: Double) -> Double { (value * 1e4).rounded() / 1e4 }
}
