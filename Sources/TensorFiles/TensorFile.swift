// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A safetensors file, opened for reading and checked completely before anything is handed out.
///
/// The file is mapped, not read: opening costs the same for any size. It must not be changed in place
/// while it is open; files of ``TensorFileWriter`` are replaced, never changed.
public final class TensorFile: Sendable {
  /// Where one tensor lies.
  public struct Entry: Equatable, Sendable {
    /// The name, unique in the file.
    public let name: String
    /// The element type.
    public let elementType: TensorFileElementType
    /// The dimensions; none for a scalar.
    public let shape: [Int]
    /// The place of the elements, in bytes from the start of the file.
    public let byteRange: Range<Int>

    /// The number of elements.
    public var elementCount: Int { byteRange.count / elementType.byteWidth }
  }

  /// The longest header that is read, in bytes; the same limit as in the reference implementation.
  public static let longestHeader = 100_000_000

  /// The path that was opened.
  public let path: String

  /// The tensors in the order of the header.
  public let entries: [Entry]

  /// The texts under `__metadata__`.
  public let metadata: [String: String]

  private let mapping: MappedFile
  private let places: [String: Int]

  /// Opens and checks a file.
  ///
  /// - Parameter path: the file.
  /// - Throws: ``TensorFileError`` when the file cannot be read or breaks any rule of the format.
  public init(path: String) throws(TensorFileError) {
    mapping = try MappedFile(path)
    self.path = path
    do throws(TensorFileError) {
      (entries, metadata) = try Self.check(mapping.bytes)
    } catch {
      throw TensorFileError(error.code, "\(path): \(error.message)")
    }
    places = Dictionary(
      entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The entry of a name, or `nil`.
  public subscript(name: String) -> Entry? {
    places[name].map { entries[$0] }
  }

  /// The entry of a name that must be there.
  ///
  /// - Parameter name: the tensor's name.
  /// - Returns: its entry.
  /// - Throws: ``TensorFileError`` when the file has no such tensor.
  public func entry(_ name: String) throws(TensorFileError) -> Entry {
    guard let entry = self[name] else {
      throw TensorFileError(
        .unknownTensor, "\(path): there is no tensor '\(name)' among \(entries.count)")
    }
    return entry
  }

  /// Gives access to the elements of a tensor where they lie, without copying.
  ///
  /// - Parameters:
  ///   - name: the tensor's name.
  ///   - body: gets the little-endian elements; they may start at any address. The bytes are valid only
  ///     inside the closure.
  /// - Returns: what the closure returns.
  /// - Throws: ``TensorFileError`` when there is no such tensor; what the closure throws.
  public func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let entry = try entry(name)
    return try withExtendedLifetime(mapping) {
      try body(UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.byteRange]))
    }
  }

  /// The checksum of the whole file.
  public func checksum() -> FileChecksum {
    var checksum = FileChecksum()
    withExtendedLifetime(mapping) { checksum.update(mapping.bytes) }
    return checksum
  }

  // MARK: - Checking

  private static func check(
    _ bytes: UnsafeRawBufferPointer
  ) throws(TensorFileError) -> ([Entry], [String: String]) {
    guard bytes.count >= 8 else {
      throw TensorFileError(
        .tooShort, "\(bytes.count) bytes are too few for a tensor file; the file was cut off")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(longestHeader) else {
      throw TensorFileError(
        .headerTooLong,
        "the header would have \(length) bytes, at most \(longestHeader) are allowed; "
          + "this is not a safetensors file or it is damaged")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw TensorFileError(
        .tooShort,
        "the header has \(length) bytes but the file ends after \(bytes.count); it was cut off")
    }
    let header = try HeaderParser(UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
    let entries = try header.tensors.map { tensor throws(TensorFileError) in
      try entry(of: tensor, dataStart: start, dataCount: bytes.count - start)
    }
    try checkCoverage(entries, dataStart: start, fileEnd: bytes.count)
    return (entries, header.metadata)
  }

  private static func entry(
    of tensor: HeaderParser.Tensor, dataStart: Int, dataCount: Int
  ) throws(TensorFileError) -> Entry {
    guard let elementType = TensorFileElementType(rawValue: tensor.elementType) else {
      let known = TensorFileElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw TensorFileError(
        .unknownElementType,
        "tensor '\(tensor.name)' has the element type '\(tensor.elementType)'; known are \(known)")
    }
    guard let expected = byteCount(of: tensor.shape, elementType),
      expected == tensor.end - tensor.begin
    else {
      throw TensorFileError(
        .sizeMismatch,
        "tensor '\(tensor.name)' has shape \(tensor.shape) of \(elementType.rawValue) "
          + "but \(tensor.end - tensor.begin) bytes; the file is damaged")
    }
    guard tensor.end <= dataCount else {
      throw TensorFileError(
        .outOfFile,
        "tensor '\(tensor.name)' ends \(tensor.end) bytes behind the header, the file after "
          + "\(dataCount); it was cut off")
    }
    return Entry(
      name: tensor.name, elementType: elementType, shape: tensor.shape,
      byteRange: (dataStart + tensor.begin)..<(dataStart + tensor.end))
  }

  /// Every byte behind the header belongs to exactly one tensor.
  private static func checkCoverage(
    _ entries: [Entry], dataStart: Int, fileEnd: Int
  ) throws(TensorFileError) {
    var reached = dataStart
    var previous = "the header"
    let ordered = entries.sorted {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound)
        < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    for entry in ordered {
      if entry.byteRange.lowerBound < reached {
        throw TensorFileError(
          .overlap, "tensor '\(entry.name)' overlaps \(previous); the file is damaged")
      }
      if entry.byteRange.lowerBound > reached {
        throw TensorFileError(
          .uncoveredBytes,
          "\(entry.byteRange.lowerBound - reached) bytes between \(previous) and tensor "
            + "'\(entry.name)' belong to no tensor; the file is damaged")
      }
      reached = entry.byteRange.upperBound
      previous = "tensor '\(entry.name)'"
    }
    if reached != fileEnd {
      throw TensorFileError(
        .uncoveredBytes,
        "\(fileEnd - reached) bytes behind \(previous) belong to no tensor; the file is damaged")
    }
  }
}
