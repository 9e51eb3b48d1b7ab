// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Testing

/// One table of an array, changed by its name in a later layer.
@Suite struct NamedTablesTests {
  private static let base = """
    [[rule]]
    name = "first"
    rate = 1.0
    count = 1
    [[rule]]
    name = "second-one"
    rate = 2.0
    """

  private static func rules(_ source: ConfigurationSource) -> [(String, Double, Int)] {
    let reader = ConfigurationReader(source)
    return reader.section("").tables("rule").map {
      ($0.string("name"), $0.number("rate", default: 0), $0.integer("count", default: 0))
    }
  }

  @Test("A text and the command line change one key of one table and leave the others")
  func changes() throws {
    var source = ConfigurationSource()
    try source.add(preset: "base", text: Self.base)
    try source.add(layer: "arm", text: "rule.second-one.rate = 5.0\nrule.first = { count = 7 }")
    var found = Self.rules(source)
    #expect(found.map(\.0) == ["first", "second-one"])
    #expect(found.map(\.1) == [1, 5] && found.map(\.2) == [7, 0])
    try source.add(overrides: ["--rule.second-one.count=3"])
    found = Self.rules(source)
    #expect(found.map(\.2) == [7, 3])
  }

  @Test("An array of tables still takes the place of the whole array")
  func replaces() throws {
    var source = ConfigurationSource()
    try source.add(preset: "base", text: Self.base)
    try source.add(layer: "arm", text: "[[rule]]\nname = \"third\"\n")
    #expect(Self.rules(source).map(\.0) == ["third"])
  }

  @Test("A name that is not there is an error that lists the names", arguments: [true, false])
  func unknown(onCommandLine: Bool) throws {
    var source = ConfigurationSource()
    try source.add(preset: "base", text: Self.base)
    let error = #expect(throws: ConfigurationError.self) {
      if onCommandLine {
        try source.add(overrides: ["--rule.other.rate=1"])
      } else {
        try source.add(layer: "arm", text: "rule.other.rate = 1.0")
      }
    }
    let message = try #require(error?.message)
    #expect(message.contains("'first', 'second-one'") && message.contains("other"), "\(message)")
  }

  @Test(
    "A table whose keys are values replaces an array, as a single table may stand for a list of one"
  )
  func single() throws {
    var source = ConfigurationSource()
    try source.add(preset: "base", text: Self.base)
    try source.add(layer: "arm", text: "rule = { name = \"only\", rate = 4.0 }")
    let reader = ConfigurationReader(source)
    let tables = reader.section("").tables("rule", orOne: true)
    #expect(tables.map { $0.string("name") } == ["only"])
  }
}
