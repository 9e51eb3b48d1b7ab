// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Embedding: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (table, tokens) = (inputs[0], inputs[1])
    var y = ReferenceSum([tokens.shape.count, table.shape.columns])
    for row in 0..<tokens.shape.count {
      for column in 0..<table.shape.columns {
        y[row, column] = table[checked(tokens.integer(row), table.shape[0]), column]
      }
    }
    return [y.values]
  }
}

extension EmbeddingGradient: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (dy, tokens) = (inputs[0], inputs[1])
    var dtable = ReferenceSum([vocabularySize, dy.shape.columns])
    for row in 0..<tokens.shape.count {
      for column in 0..<dy.shape.columns {
        dtable[checked(tokens.integer(row), vocabularySize), column] += dy[row, column]
      }
    }
    return [dtable.values]
  }
}

private func checked(_ token: Int, _ vocabularySize: Int) -> Int {
  precondition((0..<vocabularySize).contains(token), "token \(token) outside 0..<\(vocabularySize)")
  return token
}
