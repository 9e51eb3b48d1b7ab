// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads only those records of a metrics file that somebody needs: whole studies are read in one go.
public struct MetricsScan: Sendable {
  /// The records that were asked for, in order.
  public let records: [MetricsRecord]
  /// Lines that are no records, the last one not counted, which may be about to be written.
  public let damagedLines: Int

  /// Reads a file once.
  ///
  /// Lines without any of the texts are passed over without being understood, so damage in them goes unnoticed here.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - texts: a line is read when it contains one of these, for example `"validationLoss"` with its quotation marks; none empty.
  /// - Throws: ``RunRecordError`` when the file cannot be read.
  public init(path: String, linesWith texts: [String]) throws(RunRecordError) {
    let bytes = [UInt8](try readFile(path))
    let needles = texts.map { Array($0.utf8) }
    var records: [MetricsRecord] = []
    var damaged = 0
    var start = 0
    while let end = Self.newline(in: bytes, from: start) {
      let line = bytes[start..<end]
      start = end + 1
      guard needles.contains(where: { Self.contains($0, line) }) else { continue }
      do throws(MetricsLine.Damage) {
        records.append(try MetricsLine.read(line))
      } catch {
        if Self.newline(in: bytes, from: start) != nil { damaged += 1 }
      }
    }
    self.records = records
    damagedLines = damaged
  }

  private static func newline(in bytes: [UInt8], from start: Int) -> Int? {
    bytes.withUnsafeBytes { memory in
      guard let base = memory.baseAddress, start < memory.count,
        let found = memchr(base + start, 0x0A, memory.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  /// Whether a line contains a text.
  private static func contains(_ needle: [UInt8], _ line: ArraySlice<UInt8>) -> Bool {
    line.withUnsafeBytes { memory in
      needle.withUnsafeBytes { text in
        guard let base = memory.baseAddress, let wanted = text.baseAddress else { return false }
        var start = 0
        while start + text.count <= memory.count,
          let found = memchr(base + start, Int32(text[0]), memory.count - start - text.count + 1)
        {
          if memcmp(found, wanted, text.count) == 0 { return true }
          start = UnsafeRawPointer(found) - base + 1
        }
        return false
      }
    }
  }
}
