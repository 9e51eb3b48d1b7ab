// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A value of one of XLA's flags.
enum OptionValue: Hashable, Sendable {
  case text(String)
  case flag(Bool)
  case integer(Int)
  case number(Double)
}

/// How a program is compiled: over how many devices, and with which of XLA's flags.
///
/// The plugin reads a serialized `CompileOptionsProto` (openxla/xla, xla/pjrt/proto/compile_options.proto); the few fields
/// that matter are written here by hand.
struct CompileOptions: Sendable {
  /// Devices that the program is split over, by the annotations in it.
  var partitions = 1
  /// Flags of XLA's DebugOptions, by name, as `xla_gpu_autotune_level`.
  var overrides: [String: OptionValue] = [:]
  /// Ids of the devices, in order of partitions; nil: as the plugin chooses.
  var devices: [Int]?

  /// The options as a `CompileOptionsProto`.
  var serialized: [UInt8] {
    var build = ProtobufWriter()
    build.integer(1, -1)  // device_ordinal: the assignment decides
    build.integer(4, 1)  // num_replicas
    build.integer(5, partitions)
    build.flag(6, partitions > 1)  // use_spmd_partitioning
    if let devices {
      precondition(
        devices.count == partitions, "\(devices.count) devices for \(partitions) partitions")
      var assignment = ProtobufWriter()
      assignment.integer(1, 1)
      assignment.integer(2, partitions)
      for device in devices {
        var computation = ProtobufWriter()
        computation.integers(1, [device])
        assignment.message(3, computation)
      }
      build.message(9, assignment)
    }

    var options = ProtobufWriter()
    options.message(3, build)
    for (name, value) in overrides.sorted(by: { $0.key < $1.key }) {
      var field = ProtobufWriter()
      switch value {
      case .text(let text): field.text(1, text)
      case .flag(let flag): field.flag(2, flag)
      case .integer(let integer): field.integer(3, integer)
      case .number(let number): field.number(4, number)
      }
      var entry = ProtobufWriter()
      entry.text(1, name)
      entry.message(2, field)
      options.message(7, entry)
    }
    return options.bytes
  }
}

/// Writes fields in the wire format of protocol buffers.
struct ProtobufWriter {
  /// What was written so far.
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ field: Int, wireType: Int) { varint(UInt64(field << 3 | wireType)) }

  /// An int32 or int64; negative ones take ten bytes.
  mutating func integer(_ field: Int, _ value: Int) {
    key(field, wireType: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A list of integers, packed.
  mutating func integers(_ field: Int, _ values: [Int]) {
    var list = ProtobufWriter()
    for value in values { list.varint(UInt64(bitPattern: Int64(value))) }
    message(field, list)
  }

  /// A bool.
  mutating func flag(_ field: Int, _ value: Bool) { integer(field, value ? 1 : 0) }

  /// A double.
  mutating func number(_ field: Int, _ value: Double) {
    key(field, wireType: 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// A string.
  mutating func text(_ field: Int, _ value: String) { payload(field, Array(value.utf8)) }

  /// A message inside this one.
  mutating func message(_ field: Int, _ value: ProtobufWriter) { payload(field, value.bytes) }

  private mutating func payload(_ field: Int, _ value: [UInt8]) {
    key(field, wireType: 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }
}
