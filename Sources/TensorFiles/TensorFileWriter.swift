// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes safetensors files: all or nothing, without copying the elements.
///
/// Elements are little-endian as the format wants; all supported machines are. Wide elements come first in
/// the file, so that every tensor is aligned to its element width; otherwise the given order is kept. The
/// same tensors and metadata give the same bytes.
public enum TensorFileWriter {
  /// A tensor in memory that somebody else owns for the time of writing.
  public struct Tensor {
    /// The name, unique in the file.
    public var name: String
    /// The element type.
    public var elementType: TensorFileElementType
    /// The dimensions; none for a scalar.
    public var shape: [Int]
    /// The elements in row-major order.
    public var bytes: UnsafeRawBufferPointer

    /// Names a tensor in memory.
    ///
    /// - Parameters:
    ///   - name: unique in the file; any text but `__metadata__`.
    ///   - elementType: any but `float16`, which is only read.
    ///   - shape: the dimensions; none for a scalar.
    ///   - bytes: exactly the elements in row-major order; alive until writing has returned.
    public init(
      name: String, elementType: TensorFileElementType, shape: [Int],
      bytes: UnsafeRawBufferPointer
    ) {
      self.name = name
      self.elementType = elementType
      self.shape = shape
      self.bytes = bytes
    }
  }

  /// What was written.
  public struct Summary: Equatable, Sendable {
    /// The size of the file in bytes.
    public let byteCount: Int
    /// The ``FileChecksum`` of the file, 16 hexadecimal digits.
    public let checksum: String
  }

  /// Writes a file.
  ///
  /// A file beside the target is written, brought to the disk and renamed; the folder is brought to the disk
  /// too. Whatever happens, the target is the old file or the whole new one.
  ///
  /// - Parameters:
  ///   - tensors: what to write.
  ///   - metadata: texts to store under `__metadata__`.
  ///   - path: the target; its folder must exist.
  /// - Returns: size and checksum of the file.
  /// - Throws: ``TensorFileError`` when names repeat, sizes do not fit, or the disk is full or read-only.
  @discardableResult
  public static func write(
    _ tensors: [Tensor], metadata: [String: String] = [:], to path: String
  ) throws(TensorFileError) -> Summary {
    do throws(TensorFileError) {
      try check(tensors)
    } catch {
      throw TensorFileError(error.code, "\(path): \(error.message)")
    }
    let widths = Set(tensors.map(\.elementType.byteWidth)).sorted(by: >)
    let ordered = widths.flatMap { width in
      tensors.filter { $0.elementType.byteWidth == width }
    }
    let header = header(of: ordered, metadata: metadata)
    let file = try PartialFile(target: path)
    try header.withUnsafeBytes { bytes in
      Result { () throws(TensorFileError) in try file.append(bytes) }
    }.get()
    for tensor in ordered { try file.append(tensor.bytes) }
    return try file.publish()
  }

  /// Deletes what crashed writers left in a folder.
  ///
  /// Only call this when no other process can be writing there, for example with the lock of a run held.
  public static func removePartialFiles(in folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(".") && name.hasSuffix(PartialFile.suffix) {
      unlink(folder + "/" + name)
    }
  }

  private static func check(_ tensors: [Tensor]) throws(TensorFileError) {
    var names: Set<String> = []
    for tensor in tensors {
      guard tensor.name != "__metadata__" else {
        throw TensorFileError(
          .unknownTensor, "no tensor can be named '__metadata__'; give it another name")
      }
      guard names.insert(tensor.name).inserted else {
        throw TensorFileError(
          .duplicateName, "two tensors are named '\(tensor.name)'; rename one of them")
      }
      guard tensor.elementType != .float16 else {
        throw TensorFileError(
          .mismatch, "tensor '\(tensor.name)' is F16, which is only read; write BF16 or F32")
      }
      guard byteCount(of: tensor.shape, tensor.elementType) == tensor.bytes.count else {
        throw TensorFileError(
          .sizeMismatch,
          "tensor '\(tensor.name)' has shape \(tensor.shape) of \(tensor.elementType.rawValue) "
            + "but \(tensor.bytes.count) bytes")
      }
    }
  }

  /// The length field and the JSON header, padded with spaces so that the elements start at a multiple of 8.
  private static func header(of tensors: [Tensor], metadata: [String: String]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { "\(json($0.key)):\(json($0.value))" }
      members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + tensor.bytes.count
      members.append(
        "\(json(tensor.name)):{\"dtype\":\"\(tensor.elementType.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    while text.count % 8 != 0 { text.append(0x20) }
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    return length + text
  }

  /// Text as JSON string.
  private static func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if scalar.value < 0x20 {
          result += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
