// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension LoweringContext {
  /// The fewest blocks of equal size that rows can be cut into so that one holds at most `blockBytes`.
  ///
  /// - Parameters:
  ///   - rows: to cut, a multiple of `devices`, each of which has its share of every block.
  ///   - bytes: that a row of one run needs.
  /// - Returns: a number that divides `rows / devices`.
  func blocks(of rows: Int, bytes: Int) -> Int {
    let share = rows % devices == 0 ? rows / devices : rows
    // A device has its share of the rows of all runs, or all rows of its runs.
    let bytesOfDevice = share * bytes * (builder.runs ?? 1)
    let needed = (bytesOfDevice + blockBytes - 1) / blockBytes
    return (1...max(1, share)).first { share % $0 == 0 && $0 >= needed } ?? share
  }

  /// Applies a body to one block of rows after the other.
  ///
  /// Of `count` blocks, each has its share of the rows of every device, so that all devices work on all blocks.
  ///
  /// - Parameters:
  ///   - count: of blocks; with one, the body is written without a loop.
  ///   - values: tensors with the same leading axis.
  ///   - sums: values that the body adds to, before the first block.
  ///   - body: from the blocks' rows and the sums before, its rows of the results and the sums after.
  /// - Returns: the results of all rows, and the sums after the last block.
  func forBlocks(
    _ count: Int, of values: [HLOValue], sums: [HLOValue] = [],
    _ body: ([HLOValue], [HLOValue]) -> (rows: [HLOValue], sums: [HLOValue])
  ) -> (rows: [HLOValue], sums: [HLOValue]) {
    if count == 1 { return body(values, sums) }
    let rows = values[0].shape[0]
    let shards = rows % (devices * count) == 0 ? devices : 1
    let cut = [shards, count, rows / (shards * count)]
    let split = values.map { $0.reshaped(cut + $0.shape.dropFirst()) }
    let types = resultTypes(values, sums, rows / count, body)
    let empty = types.map { shape, element in
      builder.constant(0, element).stretched(to: cut + shape.dropFirst())
    }
    let final = builder.loop(count, sums + empty) { index, carried in
      let blocks = split.map { value in
        builder.dynamicSlice(value, axis: 1, start: index, size: 1).reshaped(
          [rows / count] + value.shape.dropFirst(3))
      }
      let found = body(blocks, Array(carried.prefix(sums.count)))
      let updated = zip(carried.dropFirst(sums.count), found.rows).map { whole, part in
        builder.dynamicUpdate(
          whole, axis: 1, start: index,
          with: part.reshaped([shards, 1, cut[2]] + part.shape.dropFirst()))
      }
      return found.sums + updated
    }
    let results = final.dropFirst(sums.count).map { value in
      value.reshaped([rows] + value.shape.dropFirst(3))
    }
    return (results, Array(final.prefix(sums.count)))
  }

  /// What a body makes of a block, found by writing it once for nothing.
  private func resultTypes(
    _ values: [HLOValue], _ sums: [HLOValue], _ rows: Int,
    _ body: ([HLOValue], [HLOValue]) -> (rows: [HLOValue], sums: [HLOValue])
  ) -> [(shape: [Int], element: HLOElement)] {
    builder.withoutWriting {
      let blocks = values.map { $0.slice(0, 0..<rows) }
      return body(blocks, sums).rows.map { ($0.shape, $0.element) }
    }
  }
}
