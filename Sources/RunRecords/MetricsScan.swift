// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads only those numbers of a metrics file that somebody needs: all trials of a study are read in one go.
public struct MetricsScan: Sendable {
  /// The numbers of one line.
  public struct Line: Sendable {
    /// The zero-based step they belong to.
    public let step: Int
    /// What was asked for, in the order of the line; may be not finite.
    public let numbers: [(name: String, value: Double)]

    /// The number of a name; nil when the line has none.
    public func number(_ name: String) -> Double? { numbers.last { $0.name == name }?.value }
  }

  /// The lines that have any of the numbers, in order.
  public let lines: [Line]
  /// Lines that are no records, the last one not counted, which may be about to be written.
  public let damagedLines: Int

  /// Reads a file once.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - names: what is needed, for example `validationLoss`.
  ///   - prefixes: with what the names of further numbers begin, for example `effectiveRate.`.
  ///   - companions: what is needed from lines that have one of these, for example `tokens`.
  /// - Throws: ``RunRecordError`` when the file cannot be read.
  public init(
    path: String, names: [String], prefixes: [String] = [], companions: [String] = []
  ) throws(RunRecordError) {
    let data = try readFile(path)
    var scanner = LineScanner(names: names, prefixes: prefixes, companions: companions)
    data.withUnsafeBytes { scanner.scan($0) }
    lines = scanner.lines
    damagedLines = scanner.damaged
  }
}

/// Goes through lines without making texts of what nobody asked for.
private struct LineScanner {
  private enum Interest { case wanted, companion, none }
  private struct Known {
    let bytes: [UInt8]
    let name: String
    let interest: Interest
  }

  private let names: Set<String>
  private let prefixes: [String]
  private let companions: Set<String>
  /// Names that were met, so that each is looked at as a text only once.
  private var known: [Known] = []
  private(set) var lines: [MetricsScan.Line] = []
  private(set) var damaged = 0

  init(names: [String], prefixes: [String], companions: [String]) {
    self.names = Set(names)
    self.prefixes = prefixes
    self.companions = Set(companions)
  }

  mutating func scan(_ memory: UnsafeRawBufferPointer) {
    var start = 0
    while let end = Self.newline(memory, from: start) {
      let line = UnsafeRawBufferPointer(rebasing: memory[start..<end])
      start = end + 1
      if !read(line), !readCarefully(line), Self.newline(memory, from: start) != nil {
        damaged += 1
      }
    }
  }

  private static func newline(_ memory: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = memory.baseAddress, start < memory.count,
      let found = memchr(base + start, 0x0A, memory.count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// Reads a line of the plain form that ``MetricsWriter`` gives; false for any other, which is left to ``readCarefully(_:)``.
  private mutating func read(_ line: UnsafeRawBufferPointer) -> Bool {
    var position = 0
    var step: Int?
    var numbers: [(name: String, value: Double)] = []
    var isWanted = false
    func next() -> UInt8 { position < line.count ? line[position] : 0 }
    func accept(_ byte: UInt8) -> Bool {
      guard next() == byte else { return false }
      position += 1
      return true
    }
    /// The bytes up to a closing quotation mark; nil when something has to be looked at closely.
    func text() -> Range<Int>? {
      guard accept(0x22) else { return nil }
      let first = position
      while position < line.count, line[position] != 0x22 {
        if line[position] == 0x5C || line[position] < 0x20 { return nil }
        position += 1
      }
      let range = first..<position
      return accept(0x22) ? range : nil
    }
    guard accept(0x7B) else { return false }
    repeat {
      guard let name = text(), accept(0x3A) else { return false }
      let value: Range<Int>
      if next() == 0x22 {
        guard let range = text() else { return false }
        value = range
      } else {
        let first = position
        while position < line.count, line[position] != 0x2C, line[position] != 0x7D {
          position += 1
        }
        value = first..<position
        let byte = first < position ? line[first] : 0
        let isPlain = byte == 0x2D || (0x30...0x39).contains(byte) || byte == 0x74 || byte == 0x66
        guard isPlain else { return false }
      }
      if step == nil, name.count == 4, line[name.lowerBound] == UInt8(ascii: "s"),
        String(decoding: line[name], as: UTF8.self) == "step"
      {
        guard let number = Int(String(decoding: line[value], as: UTF8.self)) else { return false }
        step = number
        continue
      }
      let field = known(line[name])
      guard field.interest != .none, let number = Self.number(line[value]) else { continue }
      numbers.append((field.name, number))
      if field.interest == .wanted { isWanted = true }
    } while accept(0x2C)
    guard accept(0x7D), position == line.count, let step else { return false }
    if isWanted { lines.append(MetricsScan.Line(step: step, numbers: numbers)) }
    return true
  }

  /// Reads any line that is a record; false for one that is none.
  private mutating func readCarefully(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let record = try? MetricsLine.read(Array(line)[...]) else { return false }
    var numbers: [(name: String, value: Double)] = []
    var isWanted = false
    for field in record.fields {
      let interest = interest(field.name)
      guard interest != .none, let number = record.number(field.name) else { continue }
      numbers.append((field.name, number))
      if interest == .wanted { isWanted = true }
    }
    if isWanted { lines.append(MetricsScan.Line(step: record.step, numbers: numbers)) }
    return true
  }

  private mutating func known(_ name: Slice<UnsafeRawBufferPointer>) -> Known {
    if let found = known.first(where: { $0.bytes.elementsEqual(name) }) { return found }
    let text = String(decoding: name, as: UTF8.self)
    let new = Known(bytes: Array(name), name: text, interest: interest(text))
    known.append(new)
    return new
  }

  private func interest(_ name: String) -> Interest {
    if names.contains(name) || prefixes.contains(where: name.hasPrefix) { return .wanted }
    return companions.contains(name) ? .companion : .none
  }

  /// A number, or one of the texts for numbers that are not finite; nil for anything else.
  private static func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> Double? {
    switch String(decoding: bytes, as: UTF8.self) {
    case "nan": .nan
    case "inf": .infinity
    case "-inf": -.infinity
    case let text: Double(text)
    }
  }
}
