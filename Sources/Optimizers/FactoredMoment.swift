// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// The average of squares that Adafactor keeps: row means and column means of a matrix, or every square.
///
/// For squares S of a matrix, Shazeer and Stern, 2018, algorithm 4 (means instead of sums, which changes nothing):
///
///     R = beta2 R + (1 - beta2) mean of S over columns
///     C = beta2 C + (1 - beta2) mean of S over rows
///     V = R C^T / mean(R)
enum FactoredMoment {
  /// States `row`, [m, 1], and `column`, [n].
  case factors(row: Tensor, column: Tensor)
  /// State `second_moment`, where nothing is factored.
  case full(Tensor)

  /// Updates the average with new squares.
  ///
  /// - Parameters:
  ///   - squares: shaped like the parameter.
  ///   - isFactored: whether rows and columns stand for the matrix.
  ///   - state: the parameter's.
  ///   - scalars: `beta2` and its complement are read.
  init(_ squares: Tensor, isFactored: Bool, state: inout StateBuilder, scalars: Scalars) {
    guard isFactored else {
      let v = scalars.average("beta2", state.zeros("second_moment", like: squares), squares)
      state["second_moment"] = v
      self = .full(v)
      return
    }
    // Divided by the count: 1 / count would be rounded.
    let rows = squares.sum(.columns) / Float(squares.shape.columns)
    let columns = squares.sum(.rows) / Float(squares.shape.rows)
    let row = scalars.average("beta2", state.zeros("row", like: rows), rows)
    let column = scalars.average("beta2", state.zeros("column", like: columns), columns)
    state["row"] = row
    state["column"] = column
    self = .factors(row: row, column: column)
  }

  /// The average as it is.
  ///
  /// - Parameters:
  ///   - parameter: whose.
  ///   - isFactored: whether rows and columns stand for the matrix.
  ///   - state: the parameter's.
  init(of parameter: Tensor, isFactored: Bool, state: inout StateBuilder) {
    if isFactored {
      self = .factors(
        row: state.zeros("row", like: parameter.sum(.columns)),
        column: state.zeros("column", like: parameter.sum(.rows)))
    } else {
      self = .full(state.zeros("second_moment", like: parameter))
    }
  }

  /// sqrt(V / correction).
  ///
  /// Of factors it is taken before they are multiplied: their product could leave the range of fp32 where the root does not,
  /// and a row and a column have fewer roots than a matrix.
  func root(correction: Tensor? = nil) -> Tensor {
    func corrected(_ v: Tensor) -> Tensor { correction.map { v / $0 } ?? v }
    switch self {
    case .full(let v): return squareRoot(corrected(v))
    case .factors(let row, let column):
      // Before any gradient R is 0 and so is V; 0 / 0 would be no number.
      let smallest = row.graph.constant(Float.leastNormalMagnitude)
      let mean = maximum(row.sum() / Float(row.shape.count), smallest)
      return squareRoot(corrected(row)) / squareRoot(mean) * squareRoot(column)
    }
  }

  /// Bytes of state, for a card.
  static func bytes(_ shape: Shape, isFactored: Bool) -> Int {
    4 * (isFactored ? shape.rows + shape.columns : shape.count)
  }
}

/// The root of the mean square of a tensor.
func rootMeanSquare(_ tensor: Tensor) -> Tensor {
  squareRoot(square(tensor).sum() / Float(max(1, tensor.shape.count)))
}
