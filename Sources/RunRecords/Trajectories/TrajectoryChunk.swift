// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The pieces of `trajectories.bin`: after eight bytes that name the format, chunks that each stand for themselves.
///
///     kind: UInt32 | length of the content: UInt32 | content | checksum of all before: UInt32        (little-endian)
///
/// | kind | content |
/// |---|---|
/// | 1, header | a ``TrajectoryHeader`` as JSON: what stands in the chunks after it |
/// | 2, values | step: UInt32, then numbers and values: Float32 |
/// | 3, summary | step: UInt32, then norms and quantiles: Float32 |
///
/// Each is given to the system as a whole, so that only the last can be incomplete.
enum TrajectoryChunk {
  enum Kind: UInt32 {
    case header = 1
    case values = 2
    case summary = 3
  }

  static let magic = Array("assaytr1".utf8)
  /// Bytes around the content.
  static let overhead = 12

  /// FNV-1a (Fowler, Noll and Vo): four bytes are enough to notice what a power cut leaves.
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }

  static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  static func number(_ bytes: UnsafeRawBufferPointer, at place: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
  }

  /// A sound chunk in a file.
  struct Found {
    var kind: Kind
    /// Where the content lies.
    var content: Range<Int>
    /// Where the next chunk begins.
    var end: Int
  }

  /// Why there is no chunk at a place.
  enum Missing: Error {
    /// The file ends before the chunk does, or with a chunk that is not sound.
    case end
    /// Something is there that was never written.
    case damage
  }

  /// How long the contents after a header are: a length that was damaged would else point beyond the end, and hide all that follows.
  struct Lengths {
    private let values: Int
    private let summary: Int

    init(_ header: TrajectoryHeader) {
      values = 4 + 4 * header.parameters.reduce(header.numbers.count) { $0 + $1.count }
      summary = 4 + 4 * TrajectoryHeader.summaryNames.count * header.summarized.count
    }

    /// Of a header nothing is known before.
    subscript(_ kind: Kind) -> Int? {
      switch kind {
      case .header: nil
      case .values: values
      case .summary: summary
      }
    }
  }

  /// The chunk at a place.
  ///
  /// - Parameters:
  ///   - bytes: of the file.
  ///   - place: where the chunk begins.
  ///   - lengths: as the last header has them; nil before the first.
  /// - Returns: a chunk whose checksum is right.
  /// - Throws: ``Missing`` when there is none.
  static func find(
    _ bytes: UnsafeRawBufferPointer, at place: Int, _ lengths: Lengths?
  ) throws(Missing) -> Found {
    guard place + overhead <= bytes.count else { throw .end }
    let kind = Kind(rawValue: number(bytes, at: place))
    let length = Int(number(bytes, at: place + 4))
    if let kind, let right = lengths?[kind], right != length {
      throw place + overhead + right < bytes.count ? .damage : .end
    }
    let end = place + overhead + length
    guard end <= bytes.count else {
      // JSON has no control characters; chunks that follow it have.
      let content = bytes[(place + 8)..<min(end - 4, bytes.count)]
      throw kind == .header && content.contains { $0 < 0x20 } ? .damage : .end
    }
    let sum = checksum(UnsafeRawBufferPointer(rebasing: bytes[place..<(end - 4)]))
    guard let kind, sum == number(bytes, at: end - 4)
    else { throw end == bytes.count ? .end : .damage }
    return Found(kind: kind, content: (place + 8)..<(end - 4), end: end)
  }

  static func header(_ content: UnsafeRawBufferPointer) throws -> TrajectoryHeader {
    try JSONDecoder().decode(TrajectoryHeader.self, from: Data(content))
  }
}
