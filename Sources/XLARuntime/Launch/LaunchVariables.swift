// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Variables of the environment that tell of several processes; an empty one is none.
struct LaunchVariables {
  private let environment: [String: String]

  init(_ environment: [String: String]) { self.environment = environment }

  /// The value; nil where it is not set.
  subscript(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A value that must be there.
  func text(_ name: String, beside names: [String]) throws(XLAError) -> String {
    if let text = self[name] { return text }
    let present = names.filter { self[$0] != nil }.joined(separator: ", ")
    throw XLAError(
      .setting,
      "\(name) is not set, though \(present) \(present.contains(",") ? "are" : "is"): a run of several processes needs "
        + "\(names.joined(separator: ", ")); to run alone, unset them all")
  }

  /// A number in a range.
  func number(_ name: String, _ range: ClosedRange<Int>, beside names: [String])
    throws(XLAError) -> Int
  {
    let text = try text(name, beside: names)
    guard let number = Int(text), range.contains(number) else {
      throw XLAError(
        .setting,
        "\(name) is \"\(text)\": expected a whole number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  /// The number of something that is counted from 0.
  func index(_ name: String, below count: Int, _ counting: String, beside names: [String])
    throws(XLAError) -> Int
  {
    let index = try number(name, 0...1_000_000, beside: names)
    guard index < count else {
      throw XLAError(
        .setting,
        "\(name) is \(index) and \(counting) \(count): processes are counted from 0 to \(count - 1)"
      )
    }
    return index
  }

  /// A host and a port, as `node001:29500` or `[fe80::1]:29500`.
  func address(_ name: String, beside names: [String]) throws(XLAError) -> (String, UInt16) {
    let text = try text(name, beside: names)
    if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      port > 0
    {
      var host = text[..<colon]
      if host.hasPrefix("["), host.hasSuffix("]") {
        host = host.dropFirst().dropLast()
      } else if host.contains(":") {
        host = ""
      }
      if !host.isEmpty { return (String(host), port) }
    }
    throw XLAError(
      .setting,
      "\(name) is \"\(text)\": expected the host and the port of process 0, as node001:29500")
  }
}

/// Lists as Slurm writes them.
enum SlurmHosts {
  /// The first host of a list such as `node[003-010,12],other7`; nil where it is no such list.
  static func first(of list: String) -> String? {
    var host = ""
    var rest = list[...]
    while let character = rest.popFirst() {
      switch character {
      case ",":
        return host.isEmpty ? nil : host
      case "[":
        guard let end = rest.firstIndex(of: "]") else { return nil }
        // Of a range the first number, with its zeros.
        let number = rest[..<end].prefix { $0 != "," && $0 != "-" }
        guard !number.isEmpty, number.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        host += number
        rest = rest[rest.index(after: end)...]
      case "]", " ":
        return nil
      default:
        host.append(character)
      }
    }
    return host.isEmpty ? nil : host
  }

  /// The tasks of one node, from a list such as `4(x2),3`; nil where it does not tell.
  static func tasks(_ list: String, onNode node: Int) -> Int? {
    var nodes = 0
    for item in list.split(separator: ",") {
      let parts = item.split(separator: "(")
      guard let first = parts.first, let tasks = Int(first), tasks > 0 else { return nil }
      var times = 1
      if parts.count == 2 {
        guard parts[1].hasPrefix("x"), parts[1].hasSuffix(")"),
          let number = Int(parts[1].dropFirst().dropLast())
        else { return nil }
        times = number
      }
      nodes += times
      if node < nodes { return tasks }
    }
    return nil
  }
}
