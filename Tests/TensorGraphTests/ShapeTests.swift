// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@Suite("A shape")
struct ShapeTests {
  @Test("counts elements, rows and columns")
  func counts() {
    let shape: Shape = [2, 3, 5]
    #expect(shape.count == 30 && shape.rank == 3 && shape.rows == 6 && shape.columns == 5)
    #expect(shape[1] == 3 && "\(shape)" == "[2, 3, 5]" && !shape.isScalar)
    let scalar: Shape = []
    #expect(scalar.count == 1 && scalar.rows == 1 && scalar.columns == 1 && scalar.isScalar)
    let vector: Shape = [7]
    #expect(vector.rows == 1 && vector.columns == 7)
  }

  @Test(
    "broadcasts from the innermost axis",
    arguments: [
      ([3, 5], [3, 5], [3, 5]), ([3, 5], [5], [3, 5]), ([3, 5], [], [3, 5]),
      ([3, 1], [5], [3, 5]), ([3, 1], [1, 5], [3, 5]), ([2, 3, 5], [3, 1], [2, 3, 5]),
      ([1], [1, 1], [1, 1]), ([1, 5], [3, 5], [3, 5]), ([4, 1, 5], [3, 1], [4, 3, 5]),
    ] as [(Shape, Shape, Shape)])
  func broadcasts(_ a: Shape, _ b: Shape, _ joint: Shape) {
    #expect(a.broadcast(with: b) == joint)
    #expect(b.broadcast(with: a) == joint)
  }

  @Test(
    "does not broadcast where an axis differs and neither side is 1",
    arguments: [([3, 5], [3]), ([3, 5], [4, 5]), ([2], [3]), ([2, 3, 5], [2, 5])]
      as [(Shape, Shape)])
  func mismatches(_ a: Shape, _ b: Shape) {
    #expect(a.broadcast(with: b) == nil)
    #expect(b.broadcast(with: a) == nil)
  }

  @Test("and an element type say how many bytes a tensor has")
  func bytes() {
    #expect(TensorType([3, 5]).byteCount == 60)
    #expect(TensorType([3, 5], .bfloat16).byteCount == 30)
    #expect(TensorType([], .int32).byteCount == 4)
    #expect("\(TensorType([3, 5], .bfloat16))" == "bfloat16[3, 5]")
  }
}
