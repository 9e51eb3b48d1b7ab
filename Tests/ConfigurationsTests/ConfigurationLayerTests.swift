// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Testing

private let study = """
  name = "study"

  [common]
  model.width = 8
  data.files = ["a", "b"]

  [[arm]]
  name = "first"
  optimizer.rate = 1e-3
  optimizer.name = "x"
  [[arm.optimizer.rule]]
  roles = ["head"]
  decay.kind = "none"
  [[arm.optimizer.rule]]
  [[arm]]
  name = "second"
  [arm.model]
  width = 16
  """

@Suite struct ConfigurationLayerTests {
  @Test func aLayerIsTheSameKeysOnTheSameLines() throws {
    let reader = ConfigurationReader(try source(study))
    _ = reader.string("name")
    let common = reader.section("common").layer(except: [])
    let arms = reader.tables("arm").map { table in
      _ = table.string("name")
      return table.layer(except: ["name"])
    }
    _ = try reader.finish()
    #expect(
      common.text.split(separator: "\n", omittingEmptySubsequences: false)[3] == "model.width = 8")
    #expect(common["data.files"] == "[\"a\", \"b\"]")
    #expect(arms[0].entries.map(\.key).prefix(2) == ["optimizer.rate", "optimizer.name"])
    var again = ConfigurationSource()
    try again.add(layer: "study test, arm first", text: arms[0].text)
    let inner = ConfigurationReader(again)
    let optimizer = inner.section("optimizer")
    #expect(optimizer.number("rate", default: 0) == 1e-3)
    #expect(optimizer.string("name") == "x")
    let rules = optimizer.tables("rule")
    #expect(rules.count == 2)
    #expect(rules[0].strings("roles", default: []) == ["head"])
    #expect(rules[0].string("decay.kind") == "none")
    _ = try inner.finish()
    #expect(optimizer.line(of: "name") == 10)
    #expect(arms[1].entries.map(\.key) == ["model.width"])
    #expect(
      arms[1].text.split(separator: "\n", omittingEmptySubsequences: false)[17]
        == "model.width = 16")
  }

  @Test func messagesAboutALayerNameThePartAndTheLine() throws {
    let reader = ConfigurationReader(try source(study))
    let layer = reader.tables("arm")[1].layer(except: ["name"])
    var again = ConfigurationSource()
    try again.add(layer: "study test, arm second", text: layer.text)
    let inner = ConfigurationReader(again)
    _ = inner.integer("model.width", default: 1, in: 1...4)
    let error = #expect(throws: ConfigurationError.self) { try inner.finish() }
    #expect(error?.message.contains("study test, arm second, line 18: model.width = 16") == true)
  }

  @Test func aLayerCanLeaveKeysOut() throws {
    let layer = try source(study).layer("arm[0]") { !$0.hasPrefix("optimizer.r") }
    #expect(layer.entries.map(\.key) == ["name", "optimizer.name"])
  }

  private let alternatives = """
    width = 1
    rule = 3
    [seeds]
    tuning = 2
    reporting = 5
    [[arm]]
    name = "a"
    rate = 1
    [[arm]]
    name = "b"
    [size.small]
    width = 2
    seeds.reporting = 3
    rule = { share = 0.5 }
    [[size.small.arm]]
    name = "c"
    [[size.small.arm]]
    name = "a"
    rate = 7
    [[size.small.sweep]]
    name = "s"
    [size.large]
    width = 9
    """

  @Test func anAlternativeIsLaidOverTheRestAndOthersAreForgotten() throws {
    var small = try source(alternatives)
    #expect(small.sectionNames(in: "size") == ["large", "small"])
    small.choose("small", from: "size")
    #expect(small.sectionNames(in: "size").isEmpty)
    let reader = ConfigurationReader(small)
    #expect(reader.integer("width", default: 0) == 2)
    #expect(reader.number("rule.share", default: 0) == 0.5)
    #expect(reader.integer("seeds.tuning", default: 0) == 2)
    #expect(reader.integer("seeds.reporting", default: 0) == 3)
    let arms = reader.tables("arm")
    #expect(arms.map { $0.string("name") } == ["a", "b", "c"])
    #expect(arms.map { $0.integer("rate", default: 0) } == [7, 0, 0])
    #expect(reader.tables("sweep").map { $0.string("name") } == ["s"])
    _ = try reader.finish()
  }

  @Test func withoutAnAlternativeTheRestIsAsItWas() throws {
    var plain = try source(alternatives)
    plain.choose(nil, from: "size")
    let reader = ConfigurationReader(plain)
    #expect(reader.integer("width", default: 0) == 1)
    #expect(reader.integer("rule", default: 0) == 3)
    #expect(reader.tables("arm").count == 2)
    #expect(!plain.has("sweep"))
    #expect(plain.value(of: "seeds.reporting") == .integer(5))
  }
}
