// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import Testing

enum Precision: String, CaseIterable { case auto, bf16, fp32 }

/// What a small program would read.
func readModel(_ reader: ConfigurationReader) -> (width: Int, rate: Double, precision: Precision) {
  let model = reader.section("model")
  let width = model.integer("width", default: 256, in: 1...65536, doc: "channels")
  let heads = model.integer("headCount", default: 4, in: 1...1024)
  _ = model.boolean("tied", default: false)
  _ = model.optionalInteger("contextLength", in: 1...1_000_000)
  let rate = reader.number("optimizer.learningRate", default: 1e-3, in: .positive)
  let precision = reader.choice("precision", default: Precision.auto)
  _ = reader.strings("data.files", default: [])
  _ = reader.numbers("optimizer.betas", default: [0.9, 0.95], in: .within(0..<1))
  _ = reader.string("run.name", default: "unnamed")
  if width % heads != 0 {
    model.contradiction("width", "headCount", message: "the width must be divisible by the heads")
  }
  return (width, rate, precision)
}

func source(_ text: String, _ overrides: [String] = []) throws -> ConfigurationSource {
  var source = ConfigurationSource()
  try source.add(preset: "test", text: text)
  try source.add(overrides: overrides)
  return source
}

/// The problems of reading a text with the small program's schema.
func problems(_ text: String, _ overrides: [String] = []) -> [ConfigurationProblem] {
  do {
    let reader = ConfigurationReader(try source(text, overrides))
    _ = readModel(reader)
    _ = try reader.finish()
    return []
  } catch {
    return (error as? ConfigurationError)?.problems ?? []
  }
}

@Suite struct ConfigurationReaderTests {
  @Test func defaultsHoldWhenNothingIsGiven() throws {
    let reader = ConfigurationReader(ConfigurationSource())
    let model = readModel(reader)
    let resolved = try reader.finish()
    #expect(model.width == 256)
    #expect(model.rate == 1e-3)
    #expect(model.precision == .auto)
    #expect(resolved.entries.allSatisfy { $0.origin == .default })
    #expect(resolved["model.contextLength"]?.value == nil)
  }

  @Test func laterLayersReplaceSingleKeysAndOriginsAreKept() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("run.toml", "[model]\nwidth = 128\nheadCount = 8\n")
    var source = ConfigurationSource()
    try source.add(preset: "small", text: "precision = 'fp32'\n[model]\nwidth = 64\ntied = true")
    try source.add(file: file)
    try source.add(overrides: ["--model.headCount=2", "--optimizer.learningRate=2"])
    let reader = ConfigurationReader(source)
    let model = readModel(reader)
    let resolved = try reader.finish()
    #expect(model.width == 128)
    #expect(model.rate == 2)
    #expect(model.precision == .fp32)
    #expect(resolved["precision"]?.origin == .preset("small"))
    #expect(resolved["model.tied"]?.value == .boolean(true))
    #expect(resolved["model.width"]?.origin == .file(file))
    #expect(resolved["model.headCount"]?.origin == .commandLine)
    #expect(resolved["model.headCount"]?.value == .integer(2))
    #expect(resolved["optimizer.learningRate"]?.value == .number(2))
    #expect(resolved["run.name"]?.origin == .default)
  }

  @Test(arguments: [
    ("[model]\nwidht = 3", "unknown key model.widht = 3", "'model.width'", 2),
    ("[modle]\nwidth = 3", "unknown key modle.width = 3", "'model.width'", 2),
    ("model.Width = 3", "unknown key model.Width", "'model.width'", 1),
    ("\n[model]\n\nhead-count = 3", "unknown key model.head-count", "'model.headCount'", 4),
    ("learningRate = 0.1", "unknown key learningRate", "'optimizer.learningRate'", 1),
    ("[model]\nlearningRate = 0.1", "unknown key", "'optimizer.learningRate'", 2),
    ("model = { width = 8, wdth = 4 }", "unknown key model.wdth = 4", "'model.width'", 1),
    ("[model]\nqqqqqqqq = 3", "unknown key", "Known in [model]: width, headCount", 2),
    ("[optimiser]", "unknown section [optimiser]", "'optimizer'", 1),
    ("model = 3", "model is a section", "width, headCount", 1),
  ])
  func unknownKeysNamePlaceValueAndNearest(
    text: String, what: String, remedy: String, line: Int
  ) throws {
    let found = problems(text)
    try #require(found.count == 1)
    #expect(found[0].message.contains("preset test, line \(line): "), "\(found[0].message)")
    #expect(found[0].message.contains(what), "\(found[0].message)")
    #expect(found[0].message.contains(remedy), "\(found[0].message)")
  }

  @Test(arguments: [
    ("model.width = '256'", ConfigurationProblem.Code.wrongType, "a string, expected an integer"),
    ("model.width = 256.0", .wrongType, "write 256"),
    ("model.width = 256.5", .wrongType, "a number, expected an integer"),
    ("model.width = true", .wrongType, "a boolean"),
    ("model.width = [1]", .wrongType, "an array"),
    ("[model.width]\nx = 1", .wrongType, "model.width is a section"),
    ("model.width = 0", .outOfRange, "give 1...65536"),
    ("model.width = -9223372036854775808", .outOfRange, "1...65536"),
    ("model.tied = 1", .wrongType, "expected true or false"),
    ("optimizer.learningRate = 0", .outOfRange, "numbers above 0"),
    ("optimizer.learningRate = inf", .outOfRange, "inf"),
    ("optimizer.learningRate = nan", .outOfRange, "nan"),
    ("optimizer.learningRate = '1'", .wrongType, "expected a number"),
    ("optimizer.betas = [0.9, 1.0]", .outOfRange, "number 2, 1.0, is out of range"),
    ("optimizer.betas = 0.9", .wrongType, "write [0.9]"),
    ("data.files = ['a', 2]", .wrongType, "number 2, 2, is an integer"),
    ("precision = 'bf15'", .unknownName, "auto, bf16, fp32. Did you mean 'bf16'?"),
    ("precision = 16", .wrongType, "one of auto, bf16, fp32"),
    ("run.name = 2024", .wrongType, "an integer, expected a string"),
    ("model.headCount = 3", .contradiction, "divisible"),
  ])
  func wrongValuesNameKeyValueAndRemedy(
    text: String, code: ConfigurationProblem.Code, clause: String
  ) throws {
    let found = problems(text)
    try #require(found.contains { $0.code == code }, "\(found)")
    #expect(found.contains { $0.message.contains(clause) }, "\(found)")
  }

  @Test func allProblemsAreReportedTogether() {
    let found = problems(
      "precision = 'x'\n[model]\nwidth = 0\nheadCount = 'a'\nnonsense = 1",
      ["--optimizer.learningRate=-1", "--model.tie=true"])
    #expect(found.count == 6)
    #expect(
      Set(found.map(\.code)) == [.unknownName, .outOfRange, .wrongType, .unknownKey])
    let error = ConfigurationError(found)
    #expect(error.message.hasPrefix("6 problems"))
    #expect(error.message.contains("command line: optimizer.learningRate = -1"))
    #expect(error.message.contains("command line: unknown key model.tie"))
  }

  @Test func contradictionsNameAllValuesAndTheirPlaces() throws {
    let found = problems("[model]\nwidth = 100\n", ["--model.headCount=3"])
    try #require(found.count == 1)
    #expect(found[0].code == .contradiction)
    #expect(found[0].keys == ["model.width", "model.headCount"])
    #expect(found[0].message.contains("model.width = 100 (preset test, line 2)"))
    #expect(found[0].message.contains("model.headCount = 3 (command line)"))
  }

  @Test func requiredKeysMustBeGiven() throws {
    let empty = ConfigurationReader(ConfigurationSource())
    #expect(empty.integer("training.steps", in: 1...100) == 1)
    #expect(empty.string("data.path") == "")
    do throws(ConfigurationError) {
      _ = try empty.finish()
      Issue.record("missing keys were accepted")
    } catch {
      #expect(error.problems.map(\.code) == [.missingKey, .missingKey])
      #expect(error.message.contains("training.steps is missing"))
      #expect(error.message.contains("1...100"))
    }
    let given = ConfigurationReader(
      try source("training.steps = 7", ["--data.path=x", "--rate=3"]))
    #expect(given.integer("training.steps", in: 1...100) == 7)
    #expect(given.string("data.path") == "x")
    #expect(given.number("rate", in: .above(0, through: 3)) == 3)
    _ = try given.finish()
  }

  @Test func arraysOfTablesBecomeSections() throws {
    let text = """
      [[optimizer.rule]]
      roles = ["head"]
      learningRate = 0.1
      [[optimizer.rule]]
      roles = ["norm", "embedding"]
      [optimizer.rule.extra]
      frozen = true
      """
    func read(_ source: ConfigurationSource) throws -> (roles: [[String]], text: String) {
      let reader = ConfigurationReader(source)
      var roles: [[String]] = []
      for rule in reader.section("optimizer").tables("rule") {
        roles.append(rule.strings("roles", default: []))
        _ = rule.optionalNumber("learningRate", in: .positive)
        _ = rule.section("extra").boolean("frozen", default: false)
      }
      return (roles, try reader.finish().tomlText)
    }
    let first = try read(try source(text))
    #expect(first.roles == [["head"], ["norm", "embedding"]])
    let again = try read(try source(first.text))
    #expect(again.roles == first.roles)

    let replaced = try read(try source(text, ["--optimizer.rule=[{roles = ['all']}]"]))
    #expect(replaced.roles == [["all"]])
    #expect(try read(try source(text, ["--optimizer.rule=[]"])).roles.isEmpty)
    #expect(try read(ConfigurationSource()).roles.isEmpty)
  }

  @Test func problemsInsideTablesNameTableAndLine() throws {
    let text = "[[rule]]\nroles = ['a']\n\n[[rule]]\nrolse = ['b']\n"
    let reader = ConfigurationReader(try source(text))
    for rule in reader.tables("rule") { _ = rule.strings("roles", default: []) }
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("an unknown key in a table was accepted")
    } catch {
      #expect(error.message.contains("line 5: unknown key rule[1].rolse"), "\(error)")
      #expect(error.message.contains("'rule[1].roles'"))
    }
  }

  @Test(arguments: ["rule = 3", "[rule]\nx = 1"])
  func aValueOrSectionInPlaceOfTablesIsRefused(text: String) throws {
    let reader = ConfigurationReader(try source(text))
    #expect(reader.tables("rule").isEmpty)
    #expect(throws: ConfigurationError.self) { try reader.finish() }
  }

  @Test(arguments: [
    ("[rule]\nx = 1", [1]), ("rule = {x = 1}", [1]), ("[[rule]]\nx = 1\n[[rule]]\nx = 2", [1, 2]),
    ("rule = []", []), ("", []),
  ])
  func oneTableMayStandForAnArray(text: String, expected: [Int]) throws {
    let reader = ConfigurationReader(try source(text))
    #expect(reader.tables("rule", orOne: true).map { $0.integer("x", default: 0) } == expected)
    _ = try reader.finish()
  }

  @Test(arguments: [
    ("[rule]\ny = 1", "--rule=[{x = 2}, {x = 3}]", [2, 3]),
    ("[[rule]]\ny = 1\n[[rule]]\ny = 2", "--rule={x = 4}", [4]),
    ("[rule]\nx = 1", "--rule=[]", []),
    ("[[rule]]\nx = 1", "--rule=[]", []),
  ])
  func aLaterLayerReplacesOneTableByAnArrayAndBack(
    text: String, override: String, expected: [Int]
  ) throws {
    let reader = ConfigurationReader(try source(text, [override]))
    #expect(reader.tables("rule", orOne: true).map { $0.integer("x", default: 0) } == expected)
    _ = try reader.finish()
  }

  @Test func aValueInPlaceOfOneTableIsRefused() throws {
    let reader = ConfigurationReader(try source("rule = 3"))
    #expect(reader.tables("rule", orOne: true).isEmpty)
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("a value was accepted as a table")
    } catch {
      #expect(error.message.contains("write [rule]"), "\(error)")
    }
  }

  @Test(arguments: ["[t.a]\nx = 1\ny = 2", "[[t.a]]\nx = 1\n[[t.a]]\n[t.a.b]\nx = 3"])
  func aRefusedSectionIsOneProblem(text: String) throws {
    let reader = ConfigurationReader(try source(text + "\n[t.c]\nz = 1"))
    let section = reader.section("t")
    section.refuse("a", message: "there is nothing of that name")
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("a refused section was accepted")
    } catch {
      #expect(error.problems.map(\.keys) == [["t.a"], ["t.c.z"]], "\(error)")
      #expect(error.message.contains("t.a (preset test, line 1): there is nothing"), "\(error)")
    }
  }

  @Test func aKeyThatIsRefusedUnreadIsOneProblem() throws {
    let reader = ConfigurationReader(try source("[t]\na = 1\nb = 2\nc = 3\n[t.d]\ne = 4"))
    let section = reader.section("t")
    section.refuse("a", message: "it makes no sense here")
    section.contradiction("b", "k", message: "they cannot hold together")
    section.ignore("d")
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("refused keys were accepted")
    } catch {
      #expect(error.problems.map(\.keys) == [["t.a"], ["t.b", "t.k"], ["t.c"]], "\(error)")
    }
  }

  @Test func unknownTablesAreRefusedEvenWhenEmpty() throws {
    let reader = ConfigurationReader(try source("[[rulez]]\n"))
    _ = reader.tables("rule")
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("an unknown list of tables was accepted")
    } catch {
      #expect(error.code == .unknownKey)
      #expect(error.message.contains("Did you mean 'rule'?"))
    }
  }

  @Test func namesComeFromALoadedList() throws {
    let names = ["adamw", "muon", "lion"]
    let reader = ConfigurationReader(try source("optimizer.name = 'adanw'"))
    _ = reader.name("optimizer.name", default: "adamw", among: names)
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("an unknown name was accepted")
    } catch {
      #expect(error.code == .unknownName)
      #expect(error.message.contains("Did you mean 'adamw'?"))
    }
  }

  @Test func givenNamesListWhatASectionHolds() throws {
    let reader = ConfigurationReader(
      try source("[schedule.learningRate]\nsteps = 3\n[schedule]\nx = 1\n'a b' = 2\n[[schedule.t]]")
    )
    let section = reader.section("schedule")
    #expect(section.givenNames == ["\"a b\"", "learningRate", "t", "x"])
    #expect(section.givenSections == ["learningRate", "t"])
    #expect(section.isGiven("x"))
    #expect(!section.isGiven("y"))
    #expect(reader.givenNames == ["schedule"])
  }

  @Test func theSchemaIsData() {
    let reader = ConfigurationReader(ConfigurationSource())
    _ = readModel(reader)
    let width = reader.schema.first { $0.name == "model.width" }
    #expect(width?.kind == .integer)
    #expect(width?.presence == .defaulted(.integer(256)))
    #expect(width?.accepted == "1...65536")
    #expect(width?.documentation == "channels")
    #expect(reader.schema.count == 9)
  }

  @Test func readingAKeyTwiceGivesOneEntryAndOneProblem() throws {
    let reader = ConfigurationReader(try source("a = 'x'"))
    for _ in 0..<2 { _ = reader.integer("a", default: 1) }
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("a wrong type was accepted")
    } catch {
      #expect(error.problems.count == 1)
    }
    let good = ConfigurationReader(try source("a = 2"))
    for _ in 0..<2 { #expect(good.integer("a", default: 1) == 2) }
    #expect(try good.finish().entries.count == 1)
  }
}
