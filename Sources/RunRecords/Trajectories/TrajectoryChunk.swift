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

  /// The chunk at a place.
  static func find(_ bytes: UnsafeRawBufferPointer, at place: Int) throws(Missing) -> Found {
    guard place + overhead <= bytes.count else { throw .end }
    let length = Int(number(bytes, at: place + 4))
    let end = place + overhead + length
    guard end <= bytes.count else { throw .end }
    let sum = checksum(UnsafeRawBufferPointer(rebasing: bytes[place..<(end - 4)]))
    guard let kind = Kind(rawValue: number(bytes, at: place)), sum == number(bytes, at: end - 4)
    else { throw end == bytes.count ? .end : .damage }
    return Found(kind: kind, content: (place + 8)..<(end - 4), end: end)
  }

  static func header(_ content: UnsafeRawBufferPointer) throws -> TrajectoryHeader {
    try JSONDecoder().decode(TrajectoryHeader.self, from: Data(content))
  }
}
