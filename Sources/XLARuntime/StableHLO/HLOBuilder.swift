// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes the body of a StableHLO function, one operation a line.
///
/// With `runs`, a program serves many runs at once: every function here takes values that are the same for all runs or one for each, in any
/// mixture, and writes the operation over all of them. Lowerings never see the axis of runs.
final class HLOBuilder {
  /// Runs that share the program; nil: one, and no axis for it.
  let runs: Int?
  private var frames = [Frame()]
  private var names = 0
  private var remembered: [String: HLOValue] = [:]

  /// The lines of one region, and what it reads of the regions around it.
  private struct Frame {
    var lines: [String] = []
    var captured: [(outer: HLOValue, inner: String)] = []
  }

  init(runs: Int? = nil) { self.runs = runs }

  /// The operations of the outermost region.
  var lines: [String] { frames[0].lines }

  /// How many loops are open.
  var level: Int { frames.count - 1 }

  // MARK: - Writing

  func type(_ shape: [Int], _ element: HLOElement, _ isBatched: Bool) -> String {
    let axes = (isBatched ? [runs ?? 1] : []) + shape
    return "tensor<" + axes.map { "\($0)x" }.joined() + element.rawValue + ">"
  }

  /// A new value, not yet defined.
  func fresh(_ shape: [Int], _ element: HLOElement, _ isBatched: Bool) -> HLOValue {
    names += 1
    return HLOValue(
      builder: self, name: "%v\(names)", shape: shape, element: element, isBatched: isBatched,
      level: level)
  }

  /// A new name for what is no value, such as the results of a loop together.
  func freshName(_ prefix: String) -> String {
    names += 1
    return prefix + String(names)
  }

  /// A remark, which compilers pass over.
  func note(_ text: String) { write("// " + text) }

  func write(_ line: String) { frames[level].lines.append(line) }

  /// The name by which this region knows a value; what was made outside of a loop is handed in.
  func name(_ value: HLOValue) -> String { name(value, at: level) }

  private func name(_ value: HLOValue, at depth: Int) -> String {
    precondition(value.level <= depth, "\(value.name) was made in a loop that has ended")
    if value.level == depth { return value.name }
    if let known = frames[depth].captured.first(where: { $0.outer.name == value.name }) {
      return known.inner
    }
    let inner = freshName("%c")
    frames[depth].captured.append((value, inner))
    return inner
  }

  /// A value that is made once and used by several operations, for example a table of angles.
  func remember(_ key: String, _ make: () -> HLOValue) -> HLOValue {
    if let known = remembered[key] { return known }
    precondition(level == 0, "what is made in a loop cannot be used outside of it")
    let value = make()
    remembered[key] = value
    return value
  }

  /// Writes something and forgets it: what is asked about it is known afterwards.
  func withoutWriting<Answer>(_ body: () -> Answer) -> Answer {
    let (frames, names, remembered) = (frames, names, remembered)
    defer { (self.frames, self.names, self.remembered) = (frames, names, remembered) }
    return body()
  }

  // MARK: - Runs

  /// One copy for each run, where any of the others has one.
  func aligned(_ values: [HLOValue]) -> [HLOValue] {
    values.contains(where: \.isBatched) ? values.map(batched) : values
  }

  /// One copy for each run.
  func batched(_ value: HLOValue) -> HLOValue {
    if value.isBatched { return value }
    let result = fresh(value.shape, value.element, true)
    let axes = value.shape.indices.map { "\($0 + 1)" }.joined(separator: ", ")
    write(
      "\(result.name) = stablehlo.broadcast_in_dim \(name(value)), dims = [\(axes)] : "
        + "(\(value.type)) -> \(result.type)")
    return result
  }

  /// The place of an axis in the tensor that holds all runs.
  func axis(_ axis: Int, of value: HLOValue) -> Int { value.isBatched ? axis + 1 : axis }

  // MARK: - Numbers

  /// A scalar; infinities and NaN included.
  func constant(_ number: Double, _ element: HLOElement = .f32) -> HLOValue {
    let value = fresh([], element, false)
    let literal =
      switch element {
      case .f32: hexadecimal(Float(number).bitPattern)
      case .f64: hexadecimal(number.bitPattern)
      case .bf16: hexadecimal(UInt16(truncatingIfNeeded: Float(number).bitPattern >> 16))
      case .i32: String(Int32(number))
      case .i1: number == 0 ? "false" : "true"
      }
    write("\(value.name) = stablehlo.constant dense<\(literal)> : \(value.type)")
    return value
  }

  private func hexadecimal(_ bits: some FixedWidthInteger) -> String {
    let digits = String(bits, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: bits.bitWidth / 4 - digits.count) + digits
  }

  /// The place along an axis, as int32.
  func iota(_ shape: [Int], axis: Int, _ element: HLOElement = .i32) -> HLOValue {
    let value = fresh(shape, element, false)
    write("\(value.name) = stablehlo.iota dim = \(axis) : \(value.type)")
    return value
  }

  // MARK: - Elementwise

  func unary(_ operation: String, _ a: HLOValue) -> HLOValue {
    let result = fresh(a.shape, a.element, a.isBatched)
    write("\(result.name) = stablehlo.\(operation) \(name(a)) : \(result.type)")
    return result
  }

  func errorFunction(_ a: HLOValue) -> HLOValue {
    let result = fresh(a.shape, a.element, a.isBatched)
    write("\(result.name) = chlo.erf \(name(a)) : \(a.type) -> \(result.type)")
    return result
  }

  func isFinite(_ a: HLOValue) -> HLOValue {
    let result = fresh(a.shape, .i1, a.isBatched)
    write("\(result.name) = stablehlo.is_finite \(name(a)) : (\(a.type)) -> \(result.type)")
    return result
  }

  /// Rounded to a number of exponent and fraction bits, ties to even; no compiler leaves it out.
  func rounded(_ a: HLOValue, exponentBits: Int, fractionBits: Int) -> HLOValue {
    let result = fresh(a.shape, a.element, a.isBatched)
    write(
      "\(result.name) = stablehlo.reduce_precision \(name(a)), format = e\(exponentBits)m\(fractionBits) : \(a.type)"
    )
    return result
  }

  /// The same value; compilers do not look through it.
  func barrier(_ a: HLOValue) -> HLOValue { unary("optimization_barrier", a) }

  /// Numbers of the program's own, in single precision.
  func constant(_ numbers: [Float], _ shape: [Int]) -> HLOValue {
    let value = fresh(shape, .f32, false)
    var digits = "0x"
    digits.reserveCapacity(8 * numbers.count + 2)
    for number in numbers {
      digits += String(hexadecimal(number.bitPattern.byteSwapped).dropFirst(2))
    }
    write("\(value.name) = stablehlo.constant dense<\"\(digits)\"> : \(value.type)")
    return value
  }

  func convert(_ a: HLOValue, _ element: HLOElement) -> HLOValue {
    if a.element == element { return a }
    let result = fresh(a.shape, element, a.isBatched)
    write("\(result.name) = stablehlo.convert \(name(a)) : (\(a.type)) -> \(result.type)")
    return result
  }

  /// The same bits read as another element type of the same size.
  func bitcast(_ a: HLOValue, _ element: HLOElement) -> HLOValue {
    let result = fresh(a.shape, element, a.isBatched)
    write("\(result.name) = stablehlo.bitcast_convert \(name(a)) : (\(a.type)) -> \(result.type)")
    return result
  }

  func binary(_ operation: String, _ a: HLOValue, _ b: HLOValue) -> HLOValue {
    let operands = broadcastTogether([a, b])
    precondition(a.element == b.element, "\(operation) of \(a.type) and \(b.type)")
    let result = fresh(operands[0].shape, a.element, operands[0].isBatched)
    write(
      "\(result.name) = stablehlo.\(operation) \(name(operands[0])), \(name(operands[1])) : \(result.type)"
    )
    return result
  }

  func compare(_ direction: HLOComparison, _ a: HLOValue, _ b: HLOValue) -> HLOValue {
    let operands = broadcastTogether([a, b])
    let result = fresh(operands[0].shape, .i1, operands[0].isBatched)
    let kind = a.element == .i32 ? "SIGNED" : a.element == .i1 ? "UNSIGNED" : "FLOAT"
    write(
      "\(result.name) = stablehlo.compare \(direction.rawValue), \(name(operands[0])), \(name(operands[1])), "
        + "\(kind) : (\(operands[0].type), \(operands[1].type)) -> \(result.type)")
    return result
  }

  /// `a` where the condition (i1) holds, else `b`.
  func select(_ condition: HLOValue, _ a: HLOValue, _ b: HLOValue) -> HLOValue {
    let operands = broadcastTogether([condition, a, b])
    let result = fresh(operands[1].shape, a.element, operands[1].isBatched)
    write(
      "\(result.name) = stablehlo.select \(name(operands[0])), \(name(operands[1])), \(name(operands[2])) : "
        + "\(operands[0].type), \(result.type)")
    return result
  }

  /// Operands of one shape, one for each run or the same for all.
  private func broadcastTogether(_ values: [HLOValue]) -> [HLOValue] {
    let rank = values.map(\.rank).max() ?? 0
    var shape = [Int](repeating: 1, count: rank)
    for value in values {
      for (index, size) in value.shape.enumerated() where size != 1 {
        shape[rank - value.rank + index] = size
      }
    }
    let isBatched = values.contains(where: \.isBatched)
    return values.map { stretch($0, to: shape, isBatched: isBatched) }
  }

  // MARK: - Loops

  /// Runs a body a number of times over values that it replaces.
  ///
  /// - Parameters:
  ///   - count: of rounds.
  ///   - initial: the values before the first.
  ///   - body: the values after a round, from its number (an int32 scalar) and those before.
  /// - Returns: the values after the last round.
  func loop(
    _ count: Int, _ initial: [HLOValue], _ body: (HLOValue, [HLOValue]) -> [HLOValue]
  ) -> [HLOValue] {
    var flags = initial.map(\.isBatched)
    while true {
      let (backup, backupNames) = (frames, names)
      frames.append(Frame())
      let counter = fresh([], .i32, false)
      let carried = zip(initial, flags).map { fresh($0.shape, $0.element, $1) }
      let results = body(counter, carried)
      let found = zip(results, flags).map { $0.isBatched || $1 }
      if found != flags {
        // A value that starts the same for all runs became one for each: once more, with one for each from the start.
        flags = found
        frames = backup
        names = backupNames
        continue
      }
      let next = counter + 1
      let final = zip(results, flags).map { $1 ? batched($0) : $0 }
      for (result, value) in zip(final, carried) {
        precondition(
          result.shape == value.shape && result.element == value.element,
          "a loop carries \(value.type), not \(result.type)")
      }
      return close(count, counter, next, carried, final, initial, flags)
    }
  }

  private func close(
    _ count: Int, _ counter: HLOValue, _ next: HLOValue, _ carried: [HLOValue],
    _ final: [HLOValue], _ initial: [HLOValue], _ flags: [Bool]
  ) -> [HLOValue] {
    let finalNames = final.map(name)
    let frame = frames.removeLast()
    let starts = zip(initial, flags).map { $1 ? batched($0) : $0 }
    let zero = constant(0, .i32)
    let results = zip(initial, flags).map { fresh($0.shape, $0.element, $1) }
    let inner = [counter.name] + carried.map(\.name) + frame.captured.map(\.inner)
    let outer = [name(zero)] + starts.map(name) + frame.captured.map { name($0.outer) }
    let types = [counter.type] + carried.map(\.type) + frame.captured.map(\.outer.type)
    let (all, limit, isOpen) = (freshName("%w"), freshName("%n"), freshName("%b"))
    let bindings = zip(inner, outer).map { "\($0) = \($1)" }.joined(separator: ", ")
    let typeList = types.joined(separator: ", ")
    write("\(all):\(inner.count) = stablehlo.while(\(bindings)) : \(typeList)")
    write("cond {")
    write("\(limit) = stablehlo.constant dense<\(count)> : tensor<i32>")
    write(
      "\(isOpen) = stablehlo.compare LT, \(counter.name), \(limit), SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>"
    )
    write("stablehlo.return \(isOpen) : tensor<i1>")
    write("} do {")
    frames[level].lines += frame.lines
    let returned = [next.name] + finalNames + frame.captured.map(\.inner)
    write("stablehlo.return \(returned.joined(separator: ", ")) : \(typeList)")
    write("}")
    // Results of the loop are known as `%w#k`; the values are given names of their own by reshapes to the same shape.
    for (index, result) in results.enumerated() {
      write(
        "\(result.name) = stablehlo.reshape \(all)#\(index + 1) : (\(result.type)) -> \(result.type)"
      )
    }
    return results
  }
}
