// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// XLA's own form of a program after all of its passes, as far as it is worth reading: computations and their
/// instructions, without layouts, constants and most attributes.
///
/// Field numbers are those of openxla/xla, xla/service/hlo.proto and xla/xla_data.proto.
struct HLOModule {
  /// One instruction.
  struct Instruction {
    var name = ""
    var operation = ""
    var shape = ""
    var operands: [Int] = []
    var called: [Int] = []
    var target = ""
    var parameter = 0
    var id = 0
  }

  /// A list of instructions; the module's entry, or the body of a fusion, a loop, a reduction.
  struct Computation {
    var name = ""
    var id = 0
    var root = 0
    var instructions: [Instruction] = []
  }

  /// The module's name.
  private(set) var name = ""
  /// The name of the computation where execution begins.
  private(set) var entry = ""
  /// All computations, those that others call first.
  private(set) var computations: [Computation] = []

  /// Reads a serialized `HloModuleProto`; nil when the bytes hold no computation.
  init?(_ bytes: some Sequence<UInt8>) {
    for field in ProtobufReader(bytes).fields {
      switch field.number {
      case 1: name = field.text
      case 2: entry = field.text
      case 3: computations.append(Self.computation(field.payload))
      default: break
      }
    }
    if computations.isEmpty { return nil }
  }

  /// How often each operation occurs in all computations, as `["all-reduce": 2]`.
  var operationCounts: [String: Int] {
    var counts: [String: Int] = [:]
    for instruction in computations.flatMap(\.instructions) {
      counts[instruction.operation, default: 0] += 1
    }
    return counts
  }

  /// The module, one instruction a line.
  var text: String {
    var names: [Int: String] = [:]
    for computation in computations {
      names[computation.id] = computation.name
      // An instruction's id is unique in its computation at least; a module of today numbers them through.
      for instruction in computation.instructions { names[instruction.id] = instruction.name }
    }
    var lines = ["HloModule \(name)"]
    for computation in computations {
      let local = Dictionary(
        computation.instructions.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
      lines += ["", (computation.name == entry ? "ENTRY " : "") + "%\(computation.name) {"]
      for instruction in computation.instructions {
        let operands =
          instruction.operation == "parameter"
          ? "\(instruction.parameter)"
          : instruction.operands.map { "%" + (local[$0] ?? "\($0)") }.joined(separator: ", ")
        var line = instruction.id == computation.root ? "  ROOT " : "  "
        line += "%\(instruction.name) = \(instruction.shape) \(instruction.operation)(\(operands))"
        if !instruction.called.isEmpty {
          line +=
            ", calls="
            + instruction.called.map { "%" + (names[$0] ?? "\($0)") }.joined(separator: ", ")
        }
        if !instruction.target.isEmpty { line += ", target=\"\(instruction.target)\"" }
        lines.append(line)
      }
      lines.append("}")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func computation(_ bytes: ArraySlice<UInt8>) -> Computation {
    var computation = Computation()
    for field in ProtobufReader(bytes).fields {
      switch field.number {
      case 1: computation.name = field.text
      case 2: computation.instructions.append(instruction(field.payload))
      case 5: computation.id = Int(truncatingIfNeeded: field.integer)
      case 6: computation.root = Int(truncatingIfNeeded: field.integer)
      default: break
      }
    }
    return computation
  }

  private static func instruction(_ bytes: ArraySlice<UInt8>) -> Instruction {
    var instruction = Instruction()
    for field in ProtobufReader(bytes).fields {
      switch field.number {
      case 1: instruction.name = field.text
      case 2: instruction.operation = field.text
      case 3: instruction.shape = shape(field.payload)
      case 9: instruction.parameter = Int(truncatingIfNeeded: field.integer)
      case 28: instruction.target = field.text
      case 35: instruction.id = Int(truncatingIfNeeded: field.integer)
      case 36: instruction.operands += field.integers
      case 38: instruction.called += field.integers
      default: break
      }
    }
    return instruction
  }

  /// Names of XLA's element types, by number.
  private static let elementTypes: [UInt64: String] = [
    1: "pred", 2: "s8", 3: "s16", 4: "s32", 5: "s64", 6: "u8", 7: "u16", 8: "u32", 9: "u64",
    10: "f16", 11: "f32",
    12: "f64", 13: "tuple", 15: "c64", 16: "bf16", 17: "token", 18: "c128", 19: "f8e5m2",
    20: "f8e4m3fn",
  ]

  private static func shape(_ bytes: ArraySlice<UInt8>) -> String {
    var element: UInt64 = 0
    var dimensions: [Int] = []
    var parts: [String] = []
    for field in ProtobufReader(bytes).fields {
      switch field.number {
      case 2: element = field.integer
      case 3: dimensions += field.integers
      case 4: parts.append(shape(field.payload))
      default: break
      }
    }
    if element == 13 { return "(" + parts.joined(separator: ", ") + ")" }
    return (elementTypes[element] ?? "type\(element)") + "["
      + dimensions.map(String.init).joined(separator: ",") + "]"
  }
}
