// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Just enough of the format to look into a file and to damage one tensor, written apart from the package's own reader.
struct Safetensors {
  /// Names and byte ranges in the file.
  let ranges: [String: Range<Int>]

  /// Names of tensors.
  var names: Set<String> { Set(ranges.keys) }

  init(_ data: Data) throws {
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any]
    var ranges: [String: Range<Int>] = [:]
    for case (let name, let entry as [String: Any]) in header ?? [:] {
      guard let offsets = entry["data_offsets"] as? [Int] else { continue }
      ranges[name] = 8 + length + offsets[0]..<8 + length + offsets[1]
    }
    self.ranges = ranges
  }
}
