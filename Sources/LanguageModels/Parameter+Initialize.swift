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
    case .repeating(let numbers):
      for index in buffer.indices { buffer[index] = numbers[index % numbers.count] }
    case .normal(let deviation):
      draw(buffer, seed) { stream, part, first in
        stream.fillNormal(into: part, mean: 0, standardDeviation: deviation, startingAt: first)
      }
    case .uniform(let bound):
      draw(buffer, seed) { stream, part, first in
        stream.fillUniform(into: part, lower: -bound, upper: bound, startingAt: first)
      }
    }
  }

  private func draw(
    _ buffer: UnsafeMutableBufferPointer<Float>, _ seed: UInt64,
    _ fill: @Sendable (RandomStream, UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) {
    let stream = RandomStream(seed: seed, name: "parameters/" + name)
    let chunk = 1 << 16
    let chunks = (buffer.count + chunk - 1) / chunk
    // Each iteration writes its own elements; the numbers do not depend on who draws them.
    nonisolated(unsafe) let target = buffer
    DispatchQueue.concurrentPerform(iterations: chunks) { index in
      let range = index * chunk..<min(target.count, (index + 1) * chunk)
      fill(stream, UnsafeMutableBufferPointer(rebasing: target[range]), range.lowerBound)
    }
  }
}
