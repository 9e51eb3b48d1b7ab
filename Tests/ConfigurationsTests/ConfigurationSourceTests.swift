// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import Testing

@Suite struct ConfigurationSourceTests {
  func failure(_ body: () throws -> Void) -> ConfigurationError? {
    do {
      try body()
      return nil
    } catch { return error as? ConfigurationError }
  }

  @Test(arguments: [
    ("a = 1\nb = = 2\n", 2), ("[a\nb = 1", 1), ("a = 1\na = 2\n", 2), ("a = \"x\n", 1),
    ("x = 1\n[t]\ny = 01\n", 3), ("k", 1),
  ])
  func syntaxErrorsNameFileLineAndColumn(text: String, line: Int) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("broken.toml", text)
    let error = try #require(failure { _ = try ConfigurationSource(file: file) })
    #expect(error.code == .syntax)
    let place = error.message.dropFirst(file.count)
    #expect(error.message.hasPrefix(file))
    #expect(place.hasPrefix(":\(line):"), "\(error.message)")
    let column = place.dropFirst(":\(line):".count).prefix { $0.isNumber }
    #expect(Int(column).map { $0 >= 1 } == true, "\(error.message)")
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path + "/none.toml"
    let noFile = try #require(failure { _ = try ConfigurationSource(file: missing) })
    #expect(noFile.code == .unreadableFile)
    #expect(noFile.message.contains(missing))
    let isFolder = try #require(failure { _ = try ConfigurationSource(file: folder.path) })
    #expect(isFolder.code == .unreadableFile)
    #expect(isFolder.message.contains("is a folder"))
    let latin = try folder.write("latin.toml", Data([0x61, 0x3D, 0x22, 0xE9, 0x22]))
    let encoding = try #require(failure { _ = try ConfigurationSource(file: latin) })
    #expect(encoding.code == .unreadableFile)
    #expect(encoding.message.contains("UTF-8"))
  }

  @Test func nothingIsCutOffAtANulByte() throws {
    var source = ConfigurationSource()
    let error = try #require(failure { try source.add(preset: "p", text: "a = 1\n\0garbage") })
    #expect(error.code == .syntax)
    #expect(error.message.contains("line 2"))
  }

  @Test func anEmptyFileIsAnEmptyConfiguration() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("empty.toml", "")
    let reader = ConfigurationReader(try ConfigurationSource(file: file))
    #expect(reader.integer("a", default: 5) == 5)
    _ = try reader.finish()
  }

  @Test(arguments: [
    ("n=3", ConfigurationValue.integer(3)), ("--n=1_000", .integer(1000)),
    ("--n=3e-4", .number(3e-4)), ("--n=1.5", .number(1.5)), ("--n=true", .boolean(true)),
    ("--n=bf16", .string("bf16")), ("--n=runs/a#b", .string("runs/a#b")),
    ("--n=\"3\"", .string("3")), ("--n='x y'", .string("x y")),
    ("--n=[1, 2]", .array([.integer(1), .integer(2)])), ("--n=", .string("")),
    ("--n=a=b", .string("a=b")), ("--n=2024-01-01", .string("2024-01-01")),
    ("--n=1\nm = 2", .string("1\nm = 2")), ("--n=-1", .integer(-1)), ("--n=0x10", .integer(16)),
  ])
  func overridesAreTOMLValuesOrBareStrings(text: String, value: ConfigurationValue) throws {
    var source = ConfigurationSource()
    try source.add(overrides: [text])
    let reader = ConfigurationReader(source)
    let resolved: ConfigurationValue?
    switch value {
    case .integer: resolved = .integer(reader.integer("n", default: 0))
    case .number: resolved = .number(reader.number("n", default: 0))
    case .boolean: resolved = .boolean(reader.boolean("n", default: false))
    case .string: resolved = .string(reader.string("n", default: "default"))
    case .array: resolved = .array(reader.integers("n", default: []).map { .integer($0) })
    }
    _ = try reader.finish()
    #expect(resolved == value)
  }

  @Test(arguments: ["2024", "true", "1e5", "0x10"])
  func aTextKeyTakesWhatWasTyped(typed: String) throws {
    var source = ConfigurationSource()
    try source.add(overrides: ["--run.name=\(typed)"])
    let reader = ConfigurationReader(source)
    #expect(reader.string("run.name", default: "") == typed)
    _ = try reader.finish()
  }

  @Test(arguments: [
    "--model.width", "--=3", "--model..width=3", "--.a=3", "--a b=3", "--n=[1, 2", "--n=\"x",
    "--n={a = 1",
  ])
  func malformedOverridesAreRefused(text: String) throws {
    var source = ConfigurationSource()
    let error = try #require(failure { try source.add(overrides: [text]) })
    #expect(error.code == .invalidOverride)
    #expect(error.message.contains(text), "\(error)")
  }

  @Test func theLastOverrideOfAKeyHolds() throws {
    var source = ConfigurationSource()
    try source.add(overrides: ["--n=1", "--n=2"])
    #expect(ConfigurationReader(source).integer("n", default: 0) == 2)
  }

  @Test(arguments: ["d = 2024-01-01", "d = 07:32:00", "d = [1, {a = 1}]"])
  func valuesNoKeyCanHoldAreRefused(text: String) throws {
    var source = ConfigurationSource()
    let error = try #require(failure { try source.add(preset: "p", text: text) })
    #expect(error.code == .unsupportedValue)
    #expect(error.message.contains("preset p, line 1: d "))
  }

  @Test func linesAreFoundInAwkwardTexts() throws {
    let text = """
      # comment with [brackets] and = signs
      a = "]=#" # x
      long = \"""
      [not.a.section]
      k = 1
      \"""
      literal = '''
      q = '' 2
      '''
      list = [ # comment ]
        1, 2,
        [3], "x]",
      ]
      "quoted.key" . inner = 1
      inline = { p = { q = 1 }, r = [ { s = 2 } ] }
      [ spaced . section ]
      wrong = true
      """
    let reader = ConfigurationReader(try source(text))
    do throws(ConfigurationError) {
      _ = try reader.finish()
      Issue.record("unknown keys were accepted")
    } catch {
      func line(_ key: String) -> Int? {
        let message = error.problems.first { $0.keys == [key] }?.message ?? ""
        let rest = message.dropFirst("preset test, line ".count)
        return Int(rest.prefix { $0.isNumber })
      }
      #expect(line("a") == 2)
      #expect(line("long") == 3)
      #expect(line("literal") == 7)
      #expect(line("list") == 10)
      #expect(line("\"quoted.key\".inner") == 14)
      #expect(line("inline.p.q") == 15)
      #expect(line("inline.r[0].s") == 15)
      #expect(line("spaced.section.wrong") == 17)
    }
  }
}
