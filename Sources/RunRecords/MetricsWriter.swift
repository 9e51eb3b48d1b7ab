// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which metrics to keep when a run goes on.
public enum MetricsRetention: Equatable, Sendable {
  /// All complete records.
  case all
  /// The records before the first one with this step or a later one.
  case stepsBelow(Int)
  /// The first bytes, as ``MetricsWriter/position`` gave them when a checkpoint was made.
  case bytes(Int)
}

/// Appends records to a metrics file: one line each, given to the system as a whole.
///
/// A line looks like `{"step":12,"loss":3.25,"gradientNorm":"nan"}`. After a crash of the process every
/// appended line is there; after a crash of the machine, those before ``synchronize()``.
public final class MetricsWriter {
  /// The path of the file.
  public let path: String

  /// The length of the file in bytes, always at the end of a line.
  public private(set) var position: Int

  private let descriptor: Int32
  private var line: [UInt8] = []

  /// Opens a file, made if it is not there.
  ///
  /// A last line that a crash left incomplete is dropped.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - retention: which records to keep; later ones are removed.
  /// - Throws: ``RunRecordError`` when the file is damaged before its last line, shorter than the bytes to
  ///   keep, or cannot be written.
  public init(path: String, keeping retention: MetricsRetention) throws(RunRecordError) {
    self.path = path
    position = 0
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("be opened", path, errno: errno) }
    line.reserveCapacity(1024)
    position = try Self.end(of: path, keeping: retention)
    let size = lseek(descriptor, 0, SEEK_END)
    if size != position, ftruncate(descriptor, off_t(position)) != 0 {
      throw .system("be cut", path, errno: errno)
    }
  }

  /// A writer to something that is not a regular file; for tests of failing disks.
  init(devicePath: String) throws(RunRecordError) {
    path = devicePath
    position = 0
    descriptor = open(devicePath, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("be opened", devicePath, errno: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Appends a record.
  ///
  /// - Parameters:
  ///   - step: the zero-based step the values belong to; not smaller than in the record before.
  ///   - values: named values in the order in which they are written; no name is `step`.
  /// - Throws: ``RunRecordError`` when the disk is full; then nothing of the record is in the file.
  public func append(
    step: Int, _ values: [(name: String, value: MetricValue)]
  ) throws(RunRecordError) {
    line.removeAll(keepingCapacity: true)
    add("{\"step\":")
    add(String(step))
    for (name, value) in values {
      precondition(name != "step", "a metrics record has one step")
      add(",")
      add(quoted: name)
      add(":")
      switch value {
      case .integer(let integer): add(String(integer))
      case .number(let number): add(number, number.description)
      case .single(let number): add(Double(number), number.description)
      case .string(let text): add(quoted: text)
      case .boolean(let boolean): add(boolean ? "true" : "false")
      }
    }
    add("}\n")
    do throws(RunRecordError) {
      try writeAll(line, to: descriptor, path: path)
    } catch {
      // Leave no half line behind; if even this fails, the next opening drops it.
      _ = ftruncate(descriptor, off_t(position))
      throw error
    }
    position += line.count
  }

  /// Brings all records to the disk.
  ///
  /// - Throws: ``RunRecordError`` when the system cannot.
  public func synchronize() throws(RunRecordError) {
    guard fsync(descriptor) == 0 else {
      throw .system("be brought to the disk", path, errno: errno)
    }
  }

  // MARK: - Text

  private func add(_ text: String) {
    line.append(contentsOf: text.utf8)
  }

  private func add(_ number: Double, _ digits: @autoclosure () -> String) {
    if number.isFinite {
      add(digits())
    } else if number.isNaN {
      add("\"nan\"")
    } else {
      add(number > 0 ? "\"inf\"" : "\"-inf\"")
    }
  }

  private func add(quoted text: String) {
    line.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): add("\\\"")
      case UInt8(ascii: "\\"): add("\\\\")
      case 0x0A: add("\\n")
      case 0..<0x20: add("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
      default: line.append(byte)
      }
    }
    line.append(UInt8(ascii: "\""))
  }

  // MARK: - Resuming

  /// The length of what is kept of a file.
  private static func end(
    of path: String, keeping retention: MetricsRetention
  ) throws(RunRecordError) -> Int {
    let reader = try MetricsReader(path: path)
    while true {
      let start = reader.position
      if case .bytes(let count) = retention, start >= count {
        guard start == count else {
          throw RunRecordError(
            .damaged,
            "\(path): byte \(count), to which the metrics are to be cut, is inside a line; "
              + "the file was changed")
        }
        return count
      }
      guard let record = try reader.next() else {
        if case .bytes(let count) = retention {
          throw RunRecordError(
            .damaged,
            "\(path): \(count) bytes of metrics are to be kept but only \(start) are there; "
              + "the file was changed")
        }
        return start
      }
      if case .stepsBelow(let limit) = retention, record.step >= limit { return start }
    }
  }
}
