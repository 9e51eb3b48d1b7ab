// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension HLOBuilder {
  /// The sum of products over contracted axes; the result's axes are those of the batch, then the left's others, then the right's others.
  ///
  /// Sums are float32 or wider whatever the operands are, and products of float32 are not shortened.
  func product(
    _ left: HLOValue, _ right: HLOValue, contracting: ([Int], [Int]),
    batching: ([Int], [Int]) = ([], []), result element: HLOElement
  ) -> HLOValue {
    var (a, b) = (left, right)
    // With axes of a batch of its own, or runs on the right alone, the axis of runs would end up inside the result.
    if a.isBatched != b.isBatched, b.isBatched || !batching.0.isEmpty {
      (a, b) = (batched(a), batched(b))
    }
    func others(_ value: HLOValue, _ used: [Int]) -> [Int] {
      value.shape.indices.filter { !used.contains($0) }.map { value.shape[$0] }
    }
    let shape =
      batching.0.map { left.shape[$0] } + others(left, batching.0 + contracting.0)
      + others(right, batching.1 + contracting.1)
    let result = fresh(shape, element, a.isBatched)
    func places(_ value: HLOValue, _ axes: [Int]) -> [Int] { axes.map { axis($0, of: value) } }
    let areBoth = a.isBatched && b.isBatched
    let batchLeft = (areBoth ? [0] : []) + places(a, batching.0)
    let batchRight = (areBoth ? [0] : []) + places(b, batching.1)
    let batchText = batchLeft.isEmpty ? "" : "batching_dims = \(batchLeft) x \(batchRight), "
    let precision = a.element == .f32 ? "HIGHEST" : "DEFAULT"
    write(
      "\(result.name) = stablehlo.dot_general \(name(a)), \(name(b)), \(batchText)contracting_dims = "
        + "\(places(a, contracting.0)) x \(places(b, contracting.1)), precision = [\(precision), \(precision)] : "
        + "(\(a.type), \(b.type)) -> \(result.type)")
    return result
  }

  /// Rows of a table `[V, ...]` chosen by positions `[N]`: `[N, ...]`.
  func rows(of table: HLOValue, at positions: HLOValue) -> HLOValue {
    let table = positions.isBatched ? batched(table) : table
    let indices = positions.reshaped(positions.shape + [1])
    let result = fresh(positions.shape + table.shape.dropFirst(), table.element, table.isBatched)
    let row = Array(table.shape.dropFirst())
    let isOwn = positions.isBatched
    // The axes of the result that come from the row, and the axis of runs where the positions do not give it.
    let first = positions.rank + (table.isBatched ? 1 : 0)
    let offsets = (table.isBatched && !isOwn ? [0] : []) + row.indices.map { first + $0 }
    let vocabulary = axis(0, of: table)
    let sizes = (table.isBatched ? [isOwn ? 1 : runs ?? 1] : []) + [1] + row
    let own =
      isOwn ? "operand_batching_dims = [0], start_indices_batching_dims = [0], " : ""
    write(
      "\(result.name) = \"stablehlo.gather\"(\(name(table)), \(name(indices))) <{dimension_numbers = "
        + "#stablehlo.gather<offset_dims = \(offsets), collapsed_slice_dims = [\(vocabulary)], \(own)start_index_map = "
        + "[\(vocabulary)], index_vector_dim = \(axis(indices.rank - 1, of: indices))>, indices_are_sorted = false, "
        + "slice_sizes = array<i64: \(sizes.map(String.init).joined(separator: ", "))>}> : (\(table.type), "
        + "\(indices.type)) -> \(result.type)")
    return result
  }

  /// `table [V, ...]` with rows `[N, ...]` added at positions `[N]`.
  func adding(_ rows: HLOValue, to table: HLOValue, at positions: HLOValue) -> HLOValue {
    let isAny = rows.isBatched || table.isBatched || positions.isBatched
    let (table, rows) = isAny ? (batched(table), batched(rows)) : (table, rows)
    let indices = positions.reshaped(positions.shape + [1])
    let result = fresh(table.shape, table.element, table.isBatched)
    let isOwn = positions.isBatched
    let first = positions.rank + (table.isBatched ? 1 : 0)
    let windows =
      (table.isBatched && !isOwn ? [0] : [])
      + table.shape.dropFirst().indices.map { first + $0 - 1 }
    let vocabulary = axis(0, of: table)
    let own =
      isOwn ? "input_batching_dims = [0], scatter_indices_batching_dims = [0], " : ""
    let (x, y, z) = (
      fresh([], table.element, false), fresh([], table.element, false),
      fresh([], table.element, false)
    )
    write(
      "\(result.name) = \"stablehlo.scatter\"(\(name(table)), \(name(indices)), \(name(rows))) <{indices_are_sorted = "
        + "false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = \(windows), inserted_window_dims "
        + "= [\(vocabulary)], \(own)scatter_dims_to_operand_dims = [\(vocabulary)], index_vector_dim = "
        + "\(axis(indices.rank - 1, of: indices))>, unique_indices = false}> ({")
    write("^bb0(\(x.name): \(x.type), \(y.name): \(y.type)):")
    write("\(z.name) = stablehlo.add \(x.name), \(y.name) : \(z.type)")
    write("stablehlo.return \(z.name) : \(z.type)")
    write("}) : (\(table.type), \(indices.type), \(rows.type)) -> \(result.type)")
    return result
  }

  /// The positions of a vector's elements from large to small: equal ones in order, NaN last.
  func descendingOrder(_ a: HLOValue) -> HLOValue {
    let isNaN = convert(compare(.notEqual, a, a), .i32)
    let keys = aligned([isNaN, a, iota(a.shape, axis: 0)])
    let sorted = freshName("%s")
    let types = keys.map(\.type).joined(separator: ", ")
    write(
      "\(sorted):3 = \"stablehlo.sort\"(\(keys.map(name).joined(separator: ", "))) <{dimension = "
        + "\(axis(0, of: keys[0])) : i64, is_stable = true}> ({")
    let pairs = keys.flatMap { key in (0..<2).map { _ in fresh([], key.element, false) } }
    write("^bb0(\(pairs.map { "\($0.name): \($0.type)" }.joined(separator: ", "))):")
    let isEarlier = compare(.less, pairs[0], pairs[1])
    let isSame = compare(.equal, pairs[0], pairs[1])
    let isLarger = compare(.greater, pairs[2], pairs[3])
    let comesFirst = binary("or", isEarlier, binary("and", isSame, isLarger))
    write("stablehlo.return \(comesFirst.name) : \(comesFirst.type)")
    write("}) : (\(types)) -> (\(types))")
    let order = fresh(a.shape, .i32, a.isBatched)
    write("\(order.name) = stablehlo.reshape \(sorted)#2 : (\(order.type)) -> \(order.type)")
    return order
  }
}

extension HLOBuilder {
  /// One of the factorisations that XLA itself expands, by the name it goes by there; each takes leading axes of a batch.
  func custom(
    _ target: String, _ operands: [HLOValue], _ results: [(shape: [Int], element: HLOElement)],
    configuration: String = ""
  ) -> [HLOValue] {
    let operands = aligned(operands)
    let isBatched = operands[0].isBatched
    let types = results.map { type($0.shape, $0.element, isBatched) }.joined(separator: ", ")
    let all = freshName("%f")
    let count = results.count > 1 ? ":\(results.count)" : ""
    write(
      "\(all)\(count) = stablehlo.custom_call @\(target)(\(operands.map(name).joined(separator: ", "))) "
        + "{backend_config = \"\(configuration)\"} : (\(operands.map(\.type).joined(separator: ", "))) -> "
        + (results.count > 1 ? "(\(types))" : types))
    return results.enumerated().map { index, result in
      let value = fresh(result.shape, result.element, isBatched)
      let part = results.count > 1 ? "\(all)#\(index)" : all
      write("\(value.name) = stablehlo.reshape \(part) : (\(value.type)) -> \(value.type)")
      return value
    }
  }
}
