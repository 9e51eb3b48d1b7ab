// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads a metrics file record by record, also while it is being written.
///
/// The last line may be incomplete after a crash, or because it is being written; it is left out.
public final class MetricsReader {
  /// The path of the file.
  public let path: String

  /// The place of the next record, in bytes from the start of the file.
  public private(set) var position = 0

  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  /// The last line is complete but damaged.
  private var isTorn = false
  private var lineNumber = 0

  /// Opens a file.
  ///
  /// - Parameter path: the file.
  /// - Throws: ``RunRecordError`` when it cannot be read.
  public init(path: String) throws(RunRecordError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("be read", path, errno: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// The next record, or `nil` after the last complete one.
  ///
  /// - Returns: the record.
  /// - Throws: ``RunRecordError`` when a line that is not the last is damaged, with its number.
  public func next() throws(RunRecordError) -> MetricsRecord? {
    guard !isTorn, let end = try endOfLine() else { return nil }
    lineNumber += 1
    let line = buffer[start..<end]
    do throws(MetricsLine.Damage) {
      let record = try MetricsLine.read(line)
      position += line.count + 1
      start = end + 1
      return record
    } catch {
      // A machine that lost power can leave any bytes at the end of the file.
      start = end + 1
      isTorn = try endOfLine() == nil
      if isTorn { return nil }
      throw RunRecordError(
        .damaged, "\(path):\(lineNumber): is not a metrics record: \(error.reason)")
    }
  }

  /// Reads all records that are left.
  ///
  /// - Returns: the step and the number of every record that has a number of this name, in order.
  /// - Parameter name: the name, for example `loss`.
  /// - Throws: ``RunRecordError`` when a line that is not the last is damaged.
  public func series(_ name: String) throws(RunRecordError) -> [(step: Int, value: Double)] {
    var result: [(step: Int, value: Double)] = []
    while let record = try next() {
      if let value = record.number(name) { result.append((record.step, value)) }
    }
    return result
  }

  /// The place in the buffer of the next newline, or `nil` when the rest of the file has none.
  private func endOfLine() throws(RunRecordError) -> Int? {
    var searched = start
    while true {
      let found = buffer.withUnsafeBytes { memory -> Int? in
        guard let base = memory.baseAddress, searched < memory.count,
          let newline = memchr(base + searched, 0x0A, memory.count - searched)
        else { return nil }
        return UnsafeRawPointer(newline) - base
      }
      if let found { return found }
      searched = buffer.count - start
      try fill()
      if isAtEnd { return nil }
    }
  }

  /// Drops what was used and reads on; the unused part moves to the start of the buffer.
  private func fill() throws(RunRecordError) {
    let kept = buffer.count - start
    let capacity = kept + (1 << 16)
    var number: Int32 = 0
    buffer = [UInt8](unsafeUninitializedCapacity: capacity) { memory, filled in
      _ = memory.initialize(from: buffer[start...])
      var count = 0
      repeat {
        count = read(descriptor, memory.baseAddress.map { $0 + kept }, capacity - kept)
        number = count < 0 ? errno : 0
      } while number == EINTR
      filled = kept + max(0, count)
    }
    start = 0
    if number != 0 { throw .system("be read", path, errno: number) }
    isAtEnd = buffer.count == kept
  }
}
