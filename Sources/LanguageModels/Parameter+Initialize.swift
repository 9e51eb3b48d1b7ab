// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import RandomStreams
public import TensorGraph

extension Parameter {
  /// Writes the values the parameter starts with.
  ///
  /// Random numbers come from the stream named `parameters/NAME` of the seed, so a parameter's start depends on nothing but
  /// the seed, its name, its shape and its declared distribution: not on other parameters, threads or order.
  ///
  /// - Parameters:
  ///   - buffer: as many elements as the shape has.
  ///   - seed: the run's seed for initial weights.
  public func initialize(_ buffer: UnsafeMutableBufferPointer<Float>, seed: UInt64) {
    precondition(
      buffer.count == shape.count, "'\(name)' has \(shape.count) elements, not \(buffer.count)")
    switch initialization {
    case .constant(let number):
      buffer.update(repeating: number)
    case .normal(let deviation):
      let stream = RandomStream(seed: seed, name: "parameters/" + name)
      let chunk = 1 << 16
      let chunks = (buffer.count + chunk - 1) / chunk
      // Each iteration writes its own elements; the numbers do not depend on who draws them.
      nonisolated(unsafe) let target = buffer
      DispatchQueue.concurrentPerform(iterations: chunks) { index in
        let range = index * chunk..<min(target.count, (index + 1) * chunk)
        stream.fillNormal(
          into: UnsafeMutableBufferPointer(rebasing: target[range]), mean: 0,
          standardDeviation: deviation, startingAt: range.lowerBound)
      }
    }
  }
}
