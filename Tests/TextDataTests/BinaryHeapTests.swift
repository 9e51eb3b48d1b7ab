// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Testing

@testable import TextData

struct BinaryHeapTests {
  @Test(arguments: [0, 1, 2, 3, 10, 257])
  func popsInOrder(count: Int) {
    let random = RandomStream(seed: 1, name: "heap")
    let values = (0..<count).map { random.integer(below: 50, at: $0) }
    var heap = BinaryHeap<Int>()
    for value in values { heap.push(value) }
    var popped: [Int] = []
    while let value = heap.pop() { popped.append(value) }
    #expect(popped == values.sorted())
    #expect(heap.isEmpty)
  }
}
