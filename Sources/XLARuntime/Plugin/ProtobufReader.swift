// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the fields of a message in the wire format of protocol buffers.
///
/// Reading stops where the bytes make no sense; what came before is kept.
struct ProtobufReader {
  /// One field of a message.
  struct Field {
    /// The field's number in the message's declaration.
    var number: Int
    /// The value of an integer field; the bits of a fixed one.
    var integer: UInt64 = 0
    /// The bytes of a string, a message, or a packed list.
    var payload: ArraySlice<UInt8> = []

    /// A string.
    var text: String { String(decoding: payload, as: UTF8.self) }
  }

  private var rest: ArraySlice<UInt8>

  /// Reads a message.
  init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

  /// The message's fields, in order.
  var fields: [Field] {
    var reader = self
    var fields: [Field] = []
    while let field = reader.next() { fields.append(field) }
    return fields
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = rest.popFirst() {
      guard shift < 64 else { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  private mutating func next() -> Field? {
    guard let key = varint() else { return nil }
    var field = Field(number: Int(truncatingIfNeeded: key >> 3))
    switch key & 7 {
    case 0:
      guard let value = varint() else { return nil }
      field.integer = value
    case 2:
      guard let count = varint(), count <= rest.count else { return nil }
      field.payload = rest.prefix(Int(count))
      rest = rest.dropFirst(Int(count))
    case 1, 5:
      let count = key & 7 == 1 ? 8 : 4
      guard rest.count >= count else { return nil }
      for byte in rest.prefix(count).reversed() {
        field.integer = field.integer << 8 | UInt64(byte)
      }
      rest = rest.dropFirst(count)
    default: return nil
    }
    return field
  }
}
