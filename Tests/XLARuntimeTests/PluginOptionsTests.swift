// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import XLARuntime

@Suite("Compile options on the wire")
struct PluginOptionsTests {
  @Test(
    "The bytes are those that JAX 0.10.2 writes for the same options, without its debug options")
  func bytes() {
    var options = CompileOptions()
    options.partitions = 2
    options.devices = [5, 6]
    options.overrides = ["a": .flag(true), "b": .integer(3), "c": .number(1.5), "d": .text("s")]
    let assignment: [UInt8] = [0x08, 1, 0x10, 2, 0x1a, 3, 0x0a, 1, 5, 0x1a, 3, 0x0a, 1, 6]
    let minusOne = [UInt8](repeating: 0xff, count: 9) + [1]
    let build: [UInt8] =
      [0x08] + minusOne + [0x20, 1, 0x28, 2, 0x30, 1, 0x4a, 14] + assignment
    var expected: [UInt8] = [0x1a, UInt8(build.count)] + build
    expected += [0x3a, 7, 0x0a, 1, 0x61, 0x12, 2, 0x10, 1]
    expected += [0x3a, 7, 0x0a, 1, 0x62, 0x12, 2, 0x18, 3]
    expected += [0x3a, 14, 0x0a, 1, 0x63, 0x12, 9, 0x21, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]
    expected += [0x3a, 8, 0x0a, 1, 0x64, 0x12, 3, 0x0a, 1, 0x73]
    #expect(options.serialized == expected)
  }

  @Test("What was written is read back, and damaged bytes end the reading without a crash")
  func reading() {
    var inner = ProtobufWriter()
    inner.integer(35, 1 << 40)
    inner.text(1, "name")
    var outer = ProtobufWriter()
    outer.integer(1, -1)
    outer.number(2, 0.25)
    outer.message(3, inner)
    let fields = ProtobufReader(outer.bytes).fields
    #expect(fields.map(\.number) == [1, 2, 3])
    #expect(Int64(bitPattern: fields[0].integer) == -1)
    #expect(Double(bitPattern: fields[1].integer) == 0.25)
    let nested = ProtobufReader(fields[2].payload).fields
    #expect(nested[0].integer == 1 << 40)
    #expect(nested[1].text == "name")
    for count in outer.bytes.indices {
      #expect(ProtobufReader(outer.bytes.prefix(count)).fields.count < 3)
    }
    #expect(HLOModule([0x1a, 0xff, 0xff]) == nil)
  }
}
