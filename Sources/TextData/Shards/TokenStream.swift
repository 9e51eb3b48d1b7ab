// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// One long sequence of token ids, made of memory-mapped shards or of an array.
///
/// Every document begins with the end-of-text token.
public struct TokenStream: Sendable {
  /// A run of tokens in memory.
  ///
  /// Sendable because the bytes are never written.
  struct Segment: @unchecked Sendable {
    var bytes: UnsafeRawBufferPointer
    var width: TokenWidth
    /// What keeps the bytes alive.
    var owner: AnyObject

    var count: Int { bytes.count / width.rawValue }
  }

  let segments: [Segment]
  /// Where each segment begins, and the end.
  private let starts: [Int]
  /// The token that stands before every document.
  public let endOfText: Int32
  /// Largest id that the headers of the shards announce.
  public let largestToken: Int32

  init(segments: [Segment], endOfText: Int32, largestToken: Int32) {
    self.segments = segments
    self.endOfText = endOfText
    self.largestToken = largestToken
    starts = segments.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
  }

  /// Makes a stream of the tokens of an array.
  ///
  /// - Parameters:
  ///   - tokens: Ids, not negative.
  ///   - endOfText: The token that stands before every document.
  public init(tokens: [Int32], endOfText: Int32) {
    let storage = ArrayStorage(tokens)
    self.init(
      segments: [
        Segment(bytes: UnsafeRawBufferPointer(storage.tokens), width: .four, owner: storage)
      ],
      endOfText: endOfText, largestToken: tokens.max() ?? 0)
  }

  private final class ArrayStorage {
    let tokens: UnsafeMutableBufferPointer<Int32>

    init(_ source: [Int32]) {
      tokens = .allocate(capacity: source.count)
      _ = tokens.initialize(from: source)
    }

    deinit { tokens.deallocate() }
  }

  /// Number of tokens.
  public var count: Int { starts[segments.count] }

  /// Copies tokens; allocates nothing.
  ///
  /// - Parameters:
  ///   - start: Position of the first.
  ///   - count: How many; all must exist.
  ///   - output: Room for `count` ids.
  /// - Returns: The largest id copied, as unsigned.
  public func copy(
    from start: Int, count: Int, to output: UnsafeMutablePointer<Int32>
  ) -> UInt32 {
    precondition(
      start >= 0 && count >= 0 && start + count <= self.count,
      "tokens \(start) ..< \(start + count) of a stream of \(self.count)")
    // The last segment that begins at or before `start`.
    var low = 0
    var high = segments.count
    while low + 1 < high {
      let middle = (low + high) / 2
      if starts[middle] <= start { low = middle } else { high = middle }
    }
    var largest: UInt32 = 0
    var done = 0
    var segment = low
    while done < count {
      let offset = start + done - starts[segment]
      let taken = min(count - done, segments[segment].count - offset)
      let part = segments[segment].copy(from: offset, count: taken, to: output + done)
      largest = max(largest, part)
      done += taken
      segment += 1
    }
    return largest
  }

  /// The tokens of a range, in an array.
  ///
  /// - Parameter range: Positions that exist.
  /// - Returns: The ids.
  public func tokens(_ range: Range<Int>) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: range.count) { buffer, count in
      if let base = buffer.baseAddress, !range.isEmpty {
        _ = copy(from: range.lowerBound, count: range.count, to: base)
      }
      count = range.count
    }
  }
}

extension TokenStream.Segment {
  /// Where a token stands, and the largest token of all.
  func positions(of token: Int32) -> (positions: [Int], largest: UInt32) {
    guard let base = bytes.baseAddress else { return ([], 0) }
    var positions: [Int] = []
    var largest: UInt32 = 0
    let wanted = UInt32(bitPattern: token)
    func search<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) {
      let source = base.assumingMemoryBound(to: Number.self)
      for index in 0..<count {
        let found = UInt32(truncatingIfNeeded: Number(littleEndian: source[index]))
        largest = max(largest, found)
        if found == wanted { positions.append(index) }
      }
    }
    switch width {
    case .two: search(UInt16.self)
    case .four: search(UInt32.self)
    }
    return (positions, largest)
  }

  /// Copies tokens that exist.
  ///
  /// - Returns: The largest id copied, as unsigned.
  func copy(
    from offset: Int, count: Int, to output: UnsafeMutablePointer<Int32>
  ) -> UInt32 {
    guard let base = bytes.baseAddress else { return 0 }
    var largest: UInt32 = 0
    switch width {
    case .two:
      let source = (base + 2 * offset).assumingMemoryBound(to: UInt16.self)
      for index in 0..<count {
        let token = UInt32(UInt16(littleEndian: source[index]))
        largest = max(largest, token)
        output[index] = Int32(bitPattern: token)
      }
    case .four:
      let source = (base + 4 * offset).assumingMemoryBound(to: UInt32.self)
      for index in 0..<count {
        let token = UInt32(littleEndian: source[index])
        largest = max(largest, token)
        output[index] = Int32(bitPattern: token)
      }
    }
    return largest
  }
}
