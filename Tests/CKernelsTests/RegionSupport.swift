// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels

func fromRegister(_ index: Int) -> ck_source {
  ck_source(kind: UInt8(CK_FROM_REGISTER.rawValue), index: UInt8(index))
}

func fromInput(_ index: Int) -> ck_source {
  ck_source(kind: UInt8(CK_FROM_INPUT.rawValue), index: UInt8(index))
}

func step(
  _ opcode: ck_opcode, _ destination: Int, _ a: ck_source, _ b: ck_source = fromInput(0),
  _ c: ck_source = fromInput(0)
) -> ck_step {
  ck_step(
    opcode: UInt8(opcode.rawValue), destination: UInt8(destination), a: a, b: b, c: c)
}

/// One call of a region.
struct RegionCall {
  var rows: Range<Int>
  var columns: Range<Int>
  var unit = 0
}

/// An elementwise region with its memory.
struct Region {
  var rows: Int
  var columns: Int
  var inputs: [(elements: Elements, access: ck_access)] = []
  var steps: [ck_step] = []
  var outputs: [(elements: Elements, kind: ck_output_kind, source: ck_source)] = []

  var wholeCall: RegionCall { RegionCall(rows: 0..<rows, columns: 0..<columns) }

  func run(_ calls: [RegionCall]? = nil) {
    let inputs = self.inputs.map {
      ck_input(
        data: $0.elements.data, type: UInt8($0.elements.type.rawValue),
        access: UInt8($0.access.rawValue))
    }
    let outputs = self.outputs.map {
      ck_output(
        data: $0.elements.data, type: UInt8($0.elements.type.rawValue),
        kind: UInt8($0.kind.rawValue), source: $0.source)
    }
    let scratchBytes = ck_region_scratch_bytes()
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchBytes + 8, alignment: 8)
    scratch.initializeMemory(as: UInt8.self, repeating: 0xff, count: scratchBytes + 8)
    defer { scratch.deallocate() }
    inputs.withUnsafeBufferPointer { inputs in
      steps.withUnsafeBufferPointer { steps in
        outputs.withUnsafeBufferPointer { outputs in
          var region = ck_region(
            input_count: UInt32(inputs.count), step_count: UInt32(steps.count),
            output_count: UInt32(outputs.count), register_count: 32, inputs: inputs.baseAddress,
            steps: steps.baseAddress, outputs: outputs.baseAddress, rows: rows, columns: columns)
          for call in calls ?? [wholeCall] {
            ck_region_run(
              &region, call.rows.lowerBound, call.rows.upperBound, call.columns.lowerBound,
              call.columns.upperBound, call.unit, scratch)
          }
        }
      }
    }
    precondition(
      (0..<8).allSatisfy {
        scratch.load(fromByteOffset: scratchBytes + $0, as: UInt8.self) == 0xff
      },
      "a kernel wrote past its scratch")
  }
}

/// y = opcode(x) elementwise.
func applied(_ opcode: ck_opcode, _ x: [Float]) -> [Float] {
  let output = Elements(count: x.count)
  let region = Region(
    rows: 1, columns: x.count, inputs: [(Elements(x), CK_FULL)],
    steps: [step(opcode, 0, fromInput(0))], outputs: [(output, CK_STORE, fromRegister(0))])
  region.run()
  return output.floats
}

/// What an opcode with exact arithmetic means, one element at a time.
func exactResult(_ opcode: ck_opcode, _ a: Float, _ b: Float, _ c: Float) -> Float {
  switch opcode {
  case CK_COPY: a
  case CK_NEGATE: -a
  case CK_ABSOLUTE: a.magnitude
  case CK_SIGN: a.isNaN ? a : a > 0 ? 1 : a < 0 ? -1 : 0
  case CK_SQUARE: a * a
  case CK_SQUARE_ROOT: a.squareRoot()
  case CK_RECIPROCAL: 1 / a
  case CK_RECIPROCAL_SQUARE_ROOT: 1 / a.squareRoot()
  case CK_RELU: a < 0 ? 0 : a
  case CK_FLOOR: a.rounded(.down)
  case CK_IS_FINITE: a.isFinite ? 1 : 0
  case CK_ROUND_TO_BF16: roundedToBFloat16(a)
  case CK_ROUND_TO_E4M3: Float8Format.e4m3.rounded(a)
  case CK_ROUND_TO_E5M2: Float8Format.e5m2.rounded(a)
  case CK_ADD: a + b
  case CK_SUBTRACT: a - b
  case CK_MULTIPLY: a * b
  case CK_DIVIDE: a / b
  case CK_MAXIMUM: a.isNaN ? a : a > b ? a : b
  case CK_MINIMUM: a.isNaN ? a : a < b ? a : b
  case CK_LESS: a < b ? 1 : 0
  case CK_LESS_OR_EQUAL: a <= b ? 1 : 0
  case CK_EQUAL: a == b ? 1 : 0
  case CK_MULTIPLY_ADD: a * b + c
  case CK_SELECT: a != 0 ? b : c
  default: preconditionFailure("opcode \(opcode.rawValue) is not exact")
  }
}

let exactUnary = [
  CK_COPY, CK_NEGATE, CK_ABSOLUTE, CK_SIGN, CK_SQUARE, CK_SQUARE_ROOT, CK_RECIPROCAL,
  CK_RECIPROCAL_SQUARE_ROOT, CK_RELU, CK_FLOOR, CK_IS_FINITE, CK_ROUND_TO_BF16,
  CK_ROUND_TO_E4M3, CK_ROUND_TO_E5M2,
]
let exactBinary = [
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM, CK_LESS, CK_LESS_OR_EQUAL,
  CK_EQUAL,
]
let exactTernary = [CK_MULTIPLY_ADD, CK_SELECT]

func operandCount(_ opcode: ck_opcode) -> Int {
  opcode.rawValue >= CK_MULTIPLY_ADD.rawValue ? 3 : opcode.rawValue >= CK_ADD.rawValue ? 2 : 1
}
