// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// One line of a speedrun's log: what was measured after some steps.
///
/// ```
/// step:2000/2000 val_loss:3.2793 train_time:122066ms step_avg:61.03ms      tracks 1 and 2, at evaluations
/// step:2000/2000 train_time:121975ms step_avg:60.99ms                      tracks 1 and 2, after every step
/// step:3600/3600 val_loss:3.27765 train_time:553.294s step_avg:153.69ms    track 3
/// ```
///
/// Contributors add fields of their own (`train_loss:`, `ema_beta:`); they are kept as they stand.
public struct LogEvent: Equatable, Sendable, CustomStringConvertible {
  /// A field of the line.
  public enum Field: Equatable, Sendable {
    /// `val_loss`, in nats per token.
    case validationLoss(LogNumber)
    /// `train_time` in milliseconds: without validation.
    case milliseconds(LogNumber)
    /// `train_time` in seconds: without validation.
    case seconds(LogNumber)
    /// `step_avg`, in milliseconds.
    case stepAverage(LogNumber)
    /// Anything else, as it stands: name, colon, value.
    case other(String)
  }

  /// Optimizer steps done.
  public var step: Int
  /// Steps of the whole run.
  public var plannedSteps: Int
  /// The rest of the line, in order.
  public var fields: [Field]

  /// Describes a line.
  ///
  /// - Parameters:
  ///   - step: Optimizer steps done.
  ///   - plannedSteps: Steps of the whole run.
  ///   - fields: The rest of the line, in order.
  public init(step: Int, plannedSteps: Int, fields: [Field]) {
    self.step = step
    self.plannedSteps = plannedSteps
    self.fields = fields
  }

  /// The line of tracks 1 and 2.
  ///
  /// - Parameters:
  ///   - step: Optimizer steps done.
  ///   - plannedSteps: Steps of the whole run.
  ///   - validationLoss: In nats per token, printed with four digits; nil between evaluations.
  ///   - milliseconds: Training time so far.
  /// - Returns: The line.
  public static func track1(
    step: Int, plannedSteps: Int, validationLoss: Double? = nil, milliseconds: Double
  ) -> LogEvent {
    let average = milliseconds / Double(max(step, 1))
    return LogEvent(
      step: step, plannedSteps: plannedSteps,
      fields: (validationLoss.map { [.validationLoss(LogNumber($0, decimals: 4))] } ?? [])
        + [
          .milliseconds(LogNumber(milliseconds.rounded(), decimals: 0)),
          .stepAverage(LogNumber(average, decimals: 2)),
        ])
  }

  /// The line of track 3.
  ///
  /// - Parameters:
  ///   - step: Optimizer steps done.
  ///   - plannedSteps: Steps of the whole run.
  ///   - validationLoss: In nats per token, printed with five digits.
  ///   - seconds: Training time so far.
  /// - Returns: The line.
  public static func track3(
    step: Int, plannedSteps: Int, validationLoss: Double, seconds: Double
  ) -> LogEvent {
    LogEvent(
      step: step, plannedSteps: plannedSteps,
      fields: [
        .validationLoss(LogNumber(validationLoss, decimals: 5)),
        .seconds(LogNumber(seconds, decimals: 3)),
        .stepAverage(LogNumber(1000 * seconds / Double(max(step, 1)), decimals: 2)),
      ])
  }

  /// The validation loss; nil on lines between evaluations.
  public var validationLoss: LogNumber? {
    for field in fields { if case .validationLoss(let number) = field { return number } }
    return nil
  }

  /// Training time so far, in seconds.
  public var seconds: Double? {
    for field in fields {
      switch field {
      case .milliseconds(let number): return number.value / 1000
      case .seconds(let number): return number.value
      case .validationLoss, .stepAverage, .other: continue
      }
    }
    return nil
  }

  /// The line, without its end.
  public var description: String {
    var line = "step:\(step)/\(plannedSteps)"
    for field in fields {
      switch field {
      case .validationLoss(let number): line += " val_loss:\(number)"
      case .milliseconds(let number): line += " train_time:\(number)ms"
      case .seconds(let number): line += " train_time:\(number)s"
      case .stepAverage(let number): line += " step_avg:\(number)ms"
      case .other(let text): line += " " + text
      }
    }
    return line
  }
}

// MARK: - Reading

extension LogEvent {
  /// How every line of the kind begins.
  static let prefix = Array("step:".utf8)

  /// What is wrong with a line.
  struct Damage: Error { let reason: String }

  /// Whether a line begins as an event does: `step:` and a digit.
  static func isEvent(_ line: UnsafeRawBufferPointer) -> Bool {
    line.count > prefix.count && line[0] == prefix[0]
      && line.prefix(prefix.count).elementsEqual(prefix)
      && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[prefix.count])
  }

  /// Reads a line, without its end.
  init(_ line: UnsafeRawBufferPointer) throws(Damage) {
    var position = Self.prefix.count
    func whole(endingBefore end: UInt8?) throws(Damage) -> Int {
      var number = 0
      var digits = 0
      while position < line.count, line[position] != end {
        let byte = line[position]
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits < 15 else {
          throw Damage(reason: "its step is not of the form step:DONE/ALL")
        }
        number = number * 10 + Int(byte - UInt8(ascii: "0"))
        digits += 1
        position += 1
      }
      guard digits > 0, position < line.count else {
        throw Damage(reason: "it ends within its step")
      }
      position += 1
      return number
    }
    step = try whole(endingBefore: UInt8(ascii: "/"))
    plannedSteps = try whole(endingBefore: UInt8(ascii: " "))
    fields = []
    fields.reserveCapacity(3)
    while position < line.count {
      let start = position
      while position < line.count, line[position] != UInt8(ascii: " ") { position += 1 }
      let word = UnsafeRawBufferPointer(rebasing: line[start..<position])
      // Two spaces in a row, or one at the end, are kept as an empty field.
      fields.append(try Self.field(word))
      if position == line.count - 1 { fields.append(.other("")) }
      position += 1
    }
    try requireTimes()
  }

  private func requireTimes() throws(Damage) {
    guard seconds != nil else { throw Damage(reason: "it has no train_time") }
    let hasAverage = fields.contains { if case .stepAverage = $0 { true } else { false } }
    if !hasAverage { throw Damage(reason: "it has no step_avg") }
  }

  private static func field(_ word: UnsafeRawBufferPointer) throws(Damage) -> Field {
    if let rest = value(of: "val_loss:", in: word) {
      guard let number = LogNumber(rest) else { throw damage("val_loss", rest) }
      return .validationLoss(number)
    }
    if let rest = value(of: "train_time:", in: word) {
      if rest.count > 2, rest.suffix(2).elementsEqual("ms".utf8) {
        if let number = LogNumber(.init(rebasing: rest.dropLast(2))) {
          return .milliseconds(number)
        }
      } else if rest.last == UInt8(ascii: "s"),
        let number = LogNumber(.init(rebasing: rest.dropLast()))
      {
        return .seconds(number)
      }
      throw damage("train_time", rest)
    }
    if let rest = value(of: "step_avg:", in: word) {
      guard rest.count > 2, rest.suffix(2).elementsEqual("ms".utf8),
        let number = LogNumber(.init(rebasing: rest.dropLast(2)))
      else { throw damage("step_avg", rest) }
      return .stepAverage(number)
    }
    return .other(String(decoding: word, as: UTF8.self))
  }

  private static func value(
    of name: StaticString, in word: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    let count = name.utf8CodeUnitCount
    guard word.count >= count else { return nil }
    for index in 0..<count where name.utf8Start[index] != word[index] { return nil }
    return UnsafeRawBufferPointer(rebasing: word[count...])
  }

  private static func damage(_ name: String, _ value: UnsafeRawBufferPointer) -> Damage {
    Damage(reason: "its \(name) is '\(String(decoding: value.prefix(40), as: UTF8.self))'")
  }
}
