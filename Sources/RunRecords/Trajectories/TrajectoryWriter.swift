// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Appends to `trajectories.bin`: the values of small parameters at every step, in four bytes each.
///
/// After a crash of the process every appended record is there; after a crash of the machine, those before ``synchronize()``.
public final class TrajectoryWriter {
  /// The path of the file.
  public let path: String
  /// What is recorded.
  public let header: TrajectoryHeader
  /// The length of the file in bytes, always at the end of a record.
  public private(set) var position: Int

  private let descriptor: Int32
  private var chunk: [UInt8] = []

  /// Opens a file, made if it is not there.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - header: what is going to be recorded; written where it differs from what was recorded so far.
  ///   - kept: how many bytes to keep, as ``position`` gave them when a checkpoint was made; what follows is removed.
  /// - Throws: ``RunRecordError`` when the file is shorter than that, was changed, or cannot be written.
  public init(
    path: String, header: TrajectoryHeader, keepingBytes kept: Int
  ) throws(RunRecordError) {
    self.path = path
    self.header = header
    position = kept
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("be opened", path, errno: errno) }
    let last = kept > 0 ? try Self.lastHeader(path, bytes: kept) : nil
    guard ftruncate(descriptor, off_t(kept)) == 0 else {
      throw .system("be cut", path, errno: errno)
    }
    if kept == 0 { try write(TrajectoryChunk.magic) }
    if last != header { try append(header) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Appends the values of a step.
  ///
  /// - Parameters:
  ///   - step: the zero-based step that the values are the result of.
  ///   - numbers: one for each of the header's numbers.
  ///   - values: one buffer for each of the header's parameters, as long as the parameter has values.
  /// - Throws: ``RunRecordError`` when the disk is full; then nothing of the record is in the file.
  public func append(
    step: Int, numbers: [Float], values: [UnsafeBufferPointer<Float>]
  ) throws(RunRecordError) {
    precondition(
      numbers.count == header.numbers.count && values.count == header.parameters.count,
      "\(numbers.count) numbers and \(values.count) parameters do not fit the header")
    begin(.values, step: step)
    add(numbers)
    for (buffer, parameter) in zip(values, header.parameters) {
      precondition(
        buffer.count == parameter.count, "\(buffer.count) values for '\(parameter.name)'")
      // As a whole: number by number it would be most of the time that recording takes.
      if 1.littleEndian == 1 {
        chunk.append(contentsOf: UnsafeRawBufferPointer(buffer))
      } else {
        add(buffer)
      }
    }
    try end()
  }

  /// Appends norms and quantiles.
  ///
  /// - Parameters:
  ///   - step: the zero-based step that they are the result of.
  ///   - summaries: one row for each of the header's summarized parameters, in the order of ``TrajectoryHeader/summaryNames``.
  /// - Throws: ``RunRecordError`` when the disk is full; then nothing of the record is in the file.
  public func append(step: Int, summaries: [[Float]]) throws(RunRecordError) {
    precondition(
      summaries.count == header.summarized.count
        && summaries.allSatisfy { $0.count == TrajectoryHeader.summaryNames.count },
      "\(summaries.map(\.count)) numbers do not fit the header")
    begin(.summary, step: step)
    for row in summaries { add(row) }
    try end()
  }

  /// Brings all records to the disk.
  ///
  /// - Throws: ``RunRecordError`` when the system cannot.
  public func synchronize() throws(RunRecordError) {
    guard fsync(descriptor) == 0 else {
      throw .system("be brought to the disk", path, errno: errno)
    }
  }

  /// Cuts a file back without writing to it.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - kept: how many bytes to keep; with none the file is removed.
  /// - Returns: how many are kept; nil when there is no file.
  /// - Throws: ``RunRecordError`` when no record ends there, or the file cannot be cut.
  static func cut(_ path: String, keepingBytes kept: Int) throws(RunRecordError) -> Int? {
    guard access(path, F_OK) == 0 else { return nil }
    if kept == 0 {
      guard unlink(path) == 0 else { throw .system("be removed", path, errno: errno) }
      return nil
    }
    _ = try lastHeader(path, bytes: kept)
    guard truncate(path, off_t(kept)) == 0 else { throw .system("be cut", path, errno: errno) }
    return kept
  }

  // MARK: - Chunks

  private func append(_ header: TrajectoryHeader) throws(RunRecordError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(header) else {
      preconditionFailure("a header has nothing that JSON cannot hold")
    }
    begin(.header)
    chunk.append(contentsOf: data)
    try end()
  }

  private func begin(_ kind: TrajectoryChunk.Kind, step: Int? = nil) {
    chunk.removeAll(keepingCapacity: true)
    TrajectoryChunk.append(kind.rawValue, to: &chunk)
    TrajectoryChunk.append(0, to: &chunk)
    if let step { TrajectoryChunk.append(UInt32(clamping: step), to: &chunk) }
  }

  private func add(_ numbers: some Collection<Float>) {
    for number in numbers { TrajectoryChunk.append(number.bitPattern, to: &chunk) }
  }

  private func end() throws(RunRecordError) {
    let length = UInt32(chunk.count - 8).littleEndian
    withUnsafeBytes(of: length) { chunk.replaceSubrange(4..<8, with: $0) }
    TrajectoryChunk.append(TrajectoryChunk.checksum(chunk), to: &chunk)
    try write(chunk)
  }

  private func write(_ bytes: [UInt8]) throws(RunRecordError) {
    do throws(RunRecordError) {
      try writeAll(bytes, to: descriptor, path: path)
    } catch {
      // Leave no half record behind; if even this fails, readers pass over it.
      _ = ftruncate(descriptor, off_t(position))
      throw error
    }
    position += bytes.count
  }

  /// The header that holds at the end of what is kept; nil without one.
  private static func lastHeader(
    _ path: String, bytes kept: Int
  ) throws(RunRecordError) -> TrajectoryHeader? {
    let changed = RunRecordError(
      .damaged,
      "\(path): \(kept) bytes of trajectories are to be kept, but no record ends there; the file was changed. "
        + "Remove it and the checkpoints of the run to begin again")
    let data = try readFile(path)
    let header: TrajectoryHeader?? = data.withUnsafeBytes { bytes in
      guard bytes.starts(with: TrajectoryChunk.magic) else { return nil }
      var place = TrajectoryChunk.magic.count
      var last: TrajectoryHeader?
      var lengths: TrajectoryChunk.Lengths?
      while place < kept {
        guard let found = try? TrajectoryChunk.find(bytes, at: place, lengths) else { return nil }
        if found.kind == .header {
          last = try? TrajectoryChunk.header(UnsafeRawBufferPointer(rebasing: bytes[found.content]))
          lengths = last.map(TrajectoryChunk.Lengths.init)
        }
        place = found.end
      }
      return place == kept ? .some(last) : nil
    }
    guard let header else { throw changed }
    return header
  }
}
