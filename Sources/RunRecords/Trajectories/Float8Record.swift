// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a head in 8-bit floating point did to its operands at one step.
///
/// In `metrics.jsonl` it is one line with the names `float8.TENSOR.STATISTIC`: `scale`, `limit`, `saturated`, and the
/// quantiles `q50`, `q90`, `q99`, `q999` and `max` of the sizes of the values before they were scaled.
public struct Float8Record: Equatable, Sendable {
  /// The operands that are rounded.
  public enum Tensor: String, CaseIterable, Sendable, Codable {
    /// What goes into the head.
    case x
    /// The head's weights.
    case weight
    /// The gradient of the logits.
    case gradient
  }

  /// What is known of one tensor.
  public struct Measurement: Equatable, Sendable {
    /// What its values are divided by before they are rounded.
    public var scale: Double
    /// The largest number that the format holds: 448 for e4m3, 57,344 for e5m2.
    public var limit: Double
    /// The share of its values whose size, divided by the scale, lies above the limit, from 0 to 1.
    public var saturated: Double
    /// Quantiles of the sizes of its values, in the order of ``Float8Record/shares``.
    public var quantiles: [Double]

    /// Describes a tensor.
    public init(scale: Double, limit: Double, saturated: Double, quantiles: [Double]) {
      precondition(
        quantiles.count == Float8Record.shares.count, "\(quantiles.count) quantiles of a tensor")
      self.scale = scale
      self.limit = limit
      self.saturated = saturated
      self.quantiles = quantiles
    }

    /// The quantiles of the sizes divided by the scale: what has to fit the format.
    public var scaledQuantiles: [Double] { quantiles.map { $0 / scale } }
  }

  /// The shares of values below the quantiles.
  public static let shares = [0.5, 0.9, 0.99, 0.999, 1]
  /// What the quantiles are called.
  public static let quantileNames = ["q50", "q90", "q99", "q999", "max"]
  /// With what the names of all numbers begin.
  public static let prefix = "float8."

  /// The zero-based step.
  public var step: Int
  /// The tensors.
  public var tensors: [Tensor: Measurement]

  /// Describes a step.
  public init(step: Int, tensors: [Tensor: Measurement]) {
    self.step = step
    self.tensors = tensors
  }

  /// The values of a line of metrics.
  public var values: [(name: String, value: MetricValue)] {
    Tensor.allCases.flatMap { tensor -> [(name: String, value: MetricValue)] in
      guard let own = tensors[tensor] else { return [] }
      let fixed = [("scale", own.scale), ("limit", own.limit), ("saturated", own.saturated)]
      return (fixed + zip(Self.quantileNames, own.quantiles)).map { name, number in
        (Self.prefix + tensor.rawValue + "." + name, .number(number))
      }
    }
  }

  /// The record of a line of metrics; nil when the line has none.
  ///
  /// - Parameters:
  ///   - step: the step of the line.
  ///   - number: the number of a name.
  public init?(step: Int, number: (String) -> Double?) {
    var tensors: [Tensor: Measurement] = [:]
    for tensor in Tensor.allCases {
      func value(_ name: String) -> Double? { number(Self.prefix + tensor.rawValue + "." + name) }
      let quantiles = Self.quantileNames.compactMap(value)
      guard let scale = value("scale"), let limit = value("limit"),
        let saturated = value("saturated"), quantiles.count == Self.shares.count
      else { continue }
      tensors[tensor] = Measurement(
        scale: scale, limit: limit, saturated: saturated, quantiles: quantiles)
    }
    if tensors.isEmpty { return nil }
    self.init(step: step, tensors: tensors)
  }

  /// The records of a run, in order.
  ///
  /// - Parameter path: the folder of a run.
  /// - Returns: one for each step at which something was measured.
  /// - Throws: ``RunRecordError`` when the metrics cannot be read.
  public static func read(run path: String) throws(RunRecordError) -> [Float8Record] {
    let scan = try MetricsScan(
      path: path + "/" + RunFolder.FileName.metrics, names: [], prefixes: [prefix])
    return scan.lines.compactMap { line in
      Float8Record(step: line.step) { line.number($0) }
    }
  }
}

extension MetricsWriter {
  /// Appends what a head in 8-bit floating point did.
  ///
  /// - Parameter record: the step and its tensors; nothing is written when there are none.
  /// - Throws: ``RunRecordError`` when the disk is full.
  public func append(_ record: Float8Record) throws(RunRecordError) {
    if !record.tensors.isEmpty { try append(step: record.step, record.values) }
  }
}
