// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension HLOBuilder {
  func reshape(_ a: HLOValue, _ shape: [Int]) -> HLOValue {
    if a.shape == shape { return a }
    precondition(a.count == shape.reduce(1, *), "\(a.type) reshaped to \(shape)")
    let result = fresh(shape, a.element, a.isBatched)
    write("\(result.name) = stablehlo.reshape \(name(a)) : (\(a.type)) -> \(result.type)")
    return result
  }

  /// Axis k of the result is axis `permutation[k]` of the operand.
  func transpose(_ a: HLOValue, _ permutation: [Int]) -> HLOValue {
    if permutation == Array(a.shape.indices) { return a }
    let result = fresh(permutation.map { a.shape[$0] }, a.element, a.isBatched)
    let axes = (a.isBatched ? [0] : []) + permutation.map { axis($0, of: a) }
    write(
      "\(result.name) = stablehlo.transpose \(name(a)), dims = \(axes) : (\(a.type)) -> \(result.type)"
    )
    return result
  }

  /// Stretched to a larger shape; axis k of the operand becomes `axes[k]`.
  func broadcast(
    _ a: HLOValue, to shape: [Int], axes: [Int], isBatched: Bool? = nil
  ) -> HLOValue {
    let isBatched = isBatched ?? a.isBatched
    if a.shape == shape, axes == Array(shape.indices), isBatched == a.isBatched { return a }
    let result = fresh(shape, a.element, isBatched)
    let places = (a.isBatched ? [0] : []) + axes.map { isBatched ? $0 + 1 : $0 }
    write(
      "\(result.name) = stablehlo.broadcast_in_dim \(name(a)), dims = \(places) : (\(a.type)) -> \(result.type)"
    )
    return result
  }

  /// Stretched to a larger shape, axes counted from the innermost.
  func stretch(_ a: HLOValue, to shape: [Int], isBatched: Bool? = nil) -> HLOValue {
    broadcast(
      a, to: shape, axes: a.shape.indices.map { shape.count - a.rank + $0 }, isBatched: isBatched)
  }

  /// Some entries of one axis.
  func slice(_ a: HLOValue, _ axis: Int, _ range: Range<Int>) -> HLOValue {
    if range == 0..<a.shape[axis] { return a }
    var shape = a.shape
    shape[axis] = range.count
    let result = fresh(shape, a.element, a.isBatched)
    var limits = a.shape.indices.map { $0 == axis ? range : 0..<a.shape[$0] }
    if a.isBatched { limits.insert(0..<(runs ?? 1), at: 0) }
    let text = limits.map { "\($0.lowerBound):\($0.upperBound)" }.joined(separator: ", ")
    write("\(result.name) = stablehlo.slice \(name(a)) [\(text)] : (\(a.type)) -> \(result.type)")
    return result
  }

  func concatenate(_ values: [HLOValue], axis: Int) -> HLOValue {
    if values.count == 1 { return values[0] }
    let parts = aligned(values)
    var shape = parts[0].shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let result = fresh(shape, parts[0].element, parts[0].isBatched)
    let types = parts.map(\.type).joined(separator: ", ")
    write(
      "\(result.name) = stablehlo.concatenate \(parts.map(name).joined(separator: ", ")), dim = "
        + "\(self.axis(axis, of: result)) : (\(types)) -> \(result.type)")
    return result
  }

  /// Filled up with a number before and after, along one axis.
  func pad(_ a: HLOValue, axis: Int, low: Int, high: Int, with number: Double) -> HLOValue {
    if low == 0, high == 0 { return a }
    let filler = constant(number, a.element)
    var shape = a.shape
    shape[axis] += low + high
    let result = fresh(shape, a.element, a.isBatched)
    let place = self.axis(axis, of: a)
    let rank = a.rank + (a.isBatched ? 1 : 0)
    func edges(_ size: Int) -> [Int] { (0..<rank).map { $0 == place ? size : 0 } }
    write(
      "\(result.name) = stablehlo.pad \(name(a)), \(name(filler)), low = \(edges(low)), high = \(edges(high)), "
        + "interior = \(edges(0)) : (\(a.type), \(filler.type)) -> \(result.type)")
    return result
  }

  /// `size` entries of one axis from a start that is known at run time, the same for all runs.
  func dynamicSlice(_ a: HLOValue, axis: Int, start: HLOValue, size: Int) -> HLOValue {
    var shape = a.shape
    shape[axis] = size
    let result = fresh(shape, a.element, a.isBatched)
    let starts = starts(a, axis, start)
    let sizes = (a.isBatched ? [runs ?? 1] : []) + shape
    write(
      "\(result.name) = stablehlo.dynamic_slice \(name(a)), \(starts.names), sizes = \(sizes) : "
        + "(\(a.type), \(starts.types)) -> \(result.type)")
    return result
  }

  /// The operand with some entries of one axis replaced.
  func dynamicUpdate(_ a: HLOValue, axis: Int, start: HLOValue, with part: HLOValue) -> HLOValue {
    let operands = aligned([a, part])
    let result = fresh(a.shape, a.element, operands[0].isBatched)
    let starts = starts(operands[0], axis, start)
    write(
      "\(result.name) = stablehlo.dynamic_update_slice \(name(operands[0])), \(name(operands[1])), "
        + "\(starts.names) : (\(operands[0].type), \(operands[1].type), \(starts.types)) -> \(result.type)"
    )
    return result
  }

  private func starts(
    _ a: HLOValue, _ axis: Int, _ start: HLOValue
  ) -> (names: String, types: String) {
    precondition(!start.isBatched, "runs cannot start at places of their own")
    let zero = constant(0, .i32)
    let place = self.axis(axis, of: a)
    let all = (0..<a.rank + (a.isBatched ? 1 : 0)).map { $0 == place ? start : zero }
    return (
      all.map(name).joined(separator: ", "), all.map(\.type).joined(separator: ", ")
    )
  }

  /// The sum or largest element over axes, in the operand's type; NaN wins.
  func reduce(_ a: HLOValue, _ kind: HLOReduction, _ axes: [Int]) -> HLOValue {
    if axes.isEmpty { return a }
    let start = constant(kind == .sum ? 0 : -.infinity, a.element)
    let kept = a.shape.indices.filter { !axes.contains($0) }
    let result = fresh(kept.map { a.shape[$0] }, a.element, a.isBatched)
    let places = axes.map { axis($0, of: a) }
    write(
      "\(result.name) = stablehlo.reduce(\(name(a)) init: \(name(start))) applies stablehlo.\(kind.rawValue) "
        + "across dimensions = \(places) : (\(a.type), \(start.type)) -> \(result.type)")
    return result
  }
}
