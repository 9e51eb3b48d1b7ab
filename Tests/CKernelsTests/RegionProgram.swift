// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels

/// A random region of steps with exact arithmetic, and what it must give.
struct RegionProgram {
  var rows: Int
  var columns: Int
  var inputs: [(values: [Float], type: ck_type, access: ck_access)] = []
  var steps: [ck_step] = []
  /// `aliases` is the input whose memory a store shares.
  var outputs: [(kind: ck_output_kind, type: ck_type, source: ck_source, aliases: Int?)] = []

  /// `stepCount` steps over `registers` registers.
  init(rows: Int, columns: Int, stepCount: Int, registers: Int, random: inout TestRandom) {
    self.rows = rows
    self.columns = columns
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let access = random.pick([CK_FULL, CK_FULL, CK_FULL, CK_SCALAR, CK_ROW, CK_COLUMN])
      let type = random.pick([CK_F32, CK_F32, CK_BF16])
      inputs.append((random.shortFloats(elementCount(access)), type, access))
    }
    var defined: [Int] = []
    for _ in 0..<stepCount {
      let opcode = random.pick(exactUnary + exactBinary + exactBinary + exactTernary + exactTernary)
      let destination = Int.random(in: 0..<registers, using: &random)
      steps.append(
        step(
          opcode, destination, source(defined, &random), source(defined, &random),
          source(defined, &random)))
      defined.append(destination)
    }
    var free = Set(
      inputs.indices.filter { inputs[$0].access == CK_FULL && inputs[$0].type == CK_F32 })
    let kinds = [
      CK_STORE, CK_STORE, CK_STORE, CK_STORE_ADD, CK_SUM_ALL, CK_MAX_ALL, CK_SUM_COLUMNS,
      CK_MAX_COLUMNS, CK_SUM_ROWS,
    ]
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      let kind = random.pick(kinds)
      let type = kind == CK_STORE && Bool.random(using: &random) ? CK_BF16 : CK_F32
      var aliases: Int?
      if kind == CK_STORE, type == CK_F32, Bool.random(using: &random), let input = free.min() {
        free.remove(input)
        aliases = input
      }
      outputs.append((kind, type, source(defined, &random), aliases))
    }
  }

  private func elementCount(_ access: ck_access) -> Int {
    switch access {
    case CK_SCALAR: 1
    case CK_ROW: columns
    case CK_COLUMN: rows
    default: rows * columns
    }
  }

  /// The newest value more often than others, so that chains form.
  private func source(_ defined: [Int], _ random: inout TestRandom) -> ck_source {
    if let last = defined.last, Int.random(in: 0..<3, using: &random) == 0 {
      return fromRegister(last)
    }
    if let register = defined.randomElement(using: &random), Bool.random(using: &random) {
      return fromRegister(register)
    }
    return fromInput(Int.random(in: 0..<inputs.count, using: &random))
  }

  /// The value of every output's source for every element.
  func sourceValues() -> [[Float]] {
    var values = [[Float]](
      repeating: [Float](repeating: 0, count: rows * columns), count: outputs.count)
    var registers = [Float](repeating: 0, count: 32)
    for row in 0..<rows {
      for column in 0..<columns {
        func value(_ source: ck_source) -> Float {
          guard source.kind == UInt8(CK_FROM_INPUT.rawValue) else {
            return registers[Int(source.index)]
          }
          let input = inputs[Int(source.index)]
          switch input.access {
          case CK_SCALAR: return input.values[0]
          case CK_ROW: return input.values[column]
          case CK_COLUMN: return input.values[row]
          default: return input.values[row * columns + column]
          }
        }
        for step in steps {
          registers[Int(step.destination)] = exactResult(
            ck_opcode(rawValue: UInt32(step.opcode)), value(step.a), value(step.b), value(step.c))
        }
        for index in outputs.indices {
          values[index][row * columns + column] = value(outputs[index].source)
        }
      }
    }
    return values
  }

  /// Memory for one run, with `units` units of reductions.
  func makeRegion(units: Int) -> Region {
    var region = Region(rows: rows, columns: columns)
    region.inputs = inputs.map { (Elements($0.values, $0.type), $0.access) }
    region.steps = steps
    region.outputs = outputs.map { output in
      let count =
        switch output.kind {
        case CK_SUM_ALL, CK_MAX_ALL: units
        case CK_SUM_COLUMNS, CK_MAX_COLUMNS: rows
        case CK_SUM_ROWS: units * columns
        default: rows * columns
        }
      let elements = output.aliases.map { region.inputs[$0].elements }
      return (elements ?? Elements(count: count, output.type), output.kind, output.source)
    }
    return region
  }

  /// The first output of a finished run that is wrong, described, or nil.
  func firstMistake(_ region: Region, _ values: [[Float]], calls: [RegionCall]) -> String? {
    for (index, output) in outputs.enumerated() {
      let elements = region.outputs[index].elements
      let got = elements.floats, source = values[index]
      var mistake: String?
      switch output.kind {
      case CK_STORE:
        let want = output.type == CK_BF16 ? source.map(roundedToBFloat16) : source
        mistake = firstDifference(got, want)
      case CK_STORE_ADD:
        mistake = firstDifference(got, source.map { -77 + $0 })
      default:
        mistake = reductionMistake(output.kind, got, source, calls)
      }
      if !elements.isIntact { mistake = "written outside" }
      if let mistake { return "output \(index) (kind \(output.kind.rawValue)): \(mistake)" }
    }
    return nil
  }

  private func reductionMistake(
    _ kind: ck_output_kind, _ got: [Float], _ source: [Float], _ calls: [RegionCall]
  ) -> String? {
    /// The elements that go into each result, with its index.
    var groups: [(index: Int, elements: [Float])] = []
    for call in calls {
      switch kind {
      case CK_SUM_ALL, CK_MAX_ALL:
        groups.append(
          (call.unit, call.rows.flatMap { r in call.columns.map { source[r * columns + $0] } }))
      case CK_SUM_COLUMNS, CK_MAX_COLUMNS:
        groups += call.rows.map { r in (r, call.columns.map { source[r * columns + $0] }) }
      default:
        groups += call.columns.map { c in
          (call.unit * columns + c, call.rows.map { source[$0 * columns + c] })
        }
      }
    }
    for (index, elements) in groups {
      let value = got[index]
      if kind == CK_MAX_ALL || kind == CK_MAX_COLUMNS {
        let best = elements.contains { $0.isNaN } ? Float.nan : elements.max() ?? -.infinity
        if !(value == best || (value.isNaN && best.isNaN)) {
          return "maximum \(value), not \(best)"
        }
      } else {
        let sum = elements.reduce(0.0) { $0 + Double($1) }
        let size = elements.reduce(0.0) { $0 + Double($1.magnitude) }
        if size.isFinite && size > 1e37 { continue }  // fp32 lanes may overflow
        let agreement = Agreement([value], [sum], absolute: 2e-5 * size, relative: 1e-7)
        if !agreement.holds && !size.isInfinite { return "sum \(index): \(agreement)" }
        if size.isInfinite && value.isFinite { return "sum \(value) of infinities" }
      }
    }
    return nil
  }
}
