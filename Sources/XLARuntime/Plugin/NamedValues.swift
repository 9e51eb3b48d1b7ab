// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT

/// Options in the form that a plugin reads; the memory behind them lives as long as this object.
final class NamedValues {
  private let values: UnsafeMutableBufferPointer<pj_named_value>
  private var memory: [UnsafeMutableRawPointer] = []

  /// Lays options out, in order of their names.
  init(_ options: [String: ClientOption]) {
    values = .allocate(capacity: options.count)
    for (index, (name, option)) in options.sorted(by: { $0.key < $1.key }).enumerated() {
      var value = pj_named_value()
      value.struct_size = MemoryLayout.size(ofValue: value)
      value.name = UnsafePointer(copy(Array(name.utf8CString)))
      value.name_size = name.utf8.count
      value.value_size = 1
      switch option {
      case .text(let text):
        value.type = Int32(PJ_STRING)
        value.value.string_value = UnsafePointer(copy(Array(text.utf8CString)))
        value.value_size = text.utf8.count
      case .integer(let integer):
        value.type = Int32(PJ_INT64)
        value.value.int64_value = Int64(integer)
      case .integers(let integers):
        value.type = Int32(PJ_INT64_LIST)
        value.value.int64_array_value = UnsafePointer(copy(integers.map(Int64.init)))
        value.value_size = integers.count
      case .number(let number):
        value.type = Int32(PJ_FLOAT)
        value.value.float_value = number
      case .flag(let flag):
        value.type = Int32(PJ_BOOL)
        value.value.bool_value = flag
      }
      values.initializeElement(at: index, to: value)
    }
  }

  deinit {
    values.deallocate()
    for block in memory { block.deallocate() }
  }

  /// The first option; nil where there is none.
  var start: UnsafePointer<pj_named_value>? {
    values.isEmpty ? nil : UnsafePointer(values.baseAddress)
  }
  /// The number of options.
  var count: Int { values.count }

  private func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<
    Element
  > {
    let block = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    block.initialize(from: elements, count: elements.count)
    memory.append(UnsafeMutableRawPointer(block))
    return block
  }
}
