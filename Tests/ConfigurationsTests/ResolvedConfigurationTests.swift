// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Configurations

@Suite struct ResolvedConfigurationTests {
  func resolve(_ text: String = "", _ overrides: [String] = []) throws -> ResolvedConfiguration {
    let reader = ConfigurationReader(try source(text, overrides))
    _ = readModel(reader)
    return try reader.finish()
  }

  @Test func tomlShowsOriginsAndReadsBackToTheSameContent() throws {
    let resolved = try resolve(
      "precision = 'bf16'\n[run]\nname = \"a \\\"b\\\" \\\\ \\n\\u0001 \\u00e9\"",
      ["--model.width=512", "--data.files=['x', 'y']"])
    let text = resolved.tomlText
    #expect(text.contains("width = 512"))
    #expect(text.contains("# command line"))
    #expect(text.contains("# preset test"))
    #expect(text.contains("# default"))
    #expect(text.contains("# contextLength is absent"))
    let again = try resolve(text)
    #expect(again.contentHash() == resolved.contentHash())
    #expect(again.differences(from: resolved).isEmpty)
    #expect(again.entries.map(\.value) == resolved.entries.map(\.value))
  }

  @Test func tomlPutsKeysWithoutSectionFirst() throws {
    let lines = try resolve().tomlText.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.first?.hasPrefix("precision = \"auto\"") == true)
    #expect(lines.filter { $0.hasPrefix("[") } == ["[model]", "[optimizer]", "[data]", "[run]"])
  }

  @Test func jsonRoundTripsExactly() throws {
    let resolved = try resolve(
      "optimizer.learningRate = 1", ["--optimizer.betas=[0, 0.1]", "--run.name=x/y"])
    let data = try resolved.json
    let again = try ResolvedConfiguration(json: data)
    #expect(again == resolved)
    #expect(try again.json == data)
    #expect(again["optimizer.learningRate"]?.value == .number(1))
  }

  @Test func numbersThatAreNotFiniteSurviveJSON() throws {
    let values: [ConfigurationValue] = [.number(.infinity), .number(-.infinity), .number(1e300)]
    let resolved = ResolvedConfiguration(entries: [
      .init(key: "a", kind: .numbers, value: .array(values), origin: .default),
      .init(key: "b", kind: .number, value: .number(.nan), origin: .file("f")),
    ])
    let again = try ResolvedConfiguration(json: try resolved.json)
    #expect(again["a"]?.value == .array(values))
    #expect(again.contentHash() == resolved.contentHash())
    #expect(again.differences(from: resolved).isEmpty)
  }

  @Test func alteredJSONIsRefused() throws {
    let text = String(decoding: try resolve().json, as: UTF8.self)
    let altered = text.replacingOccurrences(of: "256", with: "257")
    #expect(altered != text)
    for broken in [altered, String(text.dropLast(5)), "{}", "[]", ""] {
      do throws(ConfigurationError) {
        _ = try ResolvedConfiguration(json: Data(broken.utf8))
        Issue.record("accepted: \(broken.prefix(60))")
      } catch {
        #expect(error.code == .damagedRecord)
      }
    }
  }

  @Test func theHashSeesValuesAndNothingElse() throws {
    let base = try resolve()
    #expect(base.contentHash().count == 64)
    #expect(try resolve("model.width = 256").contentHash() == base.contentHash())
    #expect(try resolve("model.width = 512").contentHash() != base.contentHash())
    #expect(try resolve("model.contextLength = 1").contentHash() != base.contentHash())
    let renamed = try resolve("run.name = 'other'")
    #expect(renamed.contentHash() != base.contentHash())
    #expect(renamed.contentHash(excluding: ["run"]) == base.contentHash(excluding: ["run"]))
    #expect(renamed.contentHash(excluding: ["ru"]) == renamed.contentHash())
    let reordered = ResolvedConfiguration(entries: base.entries.reversed())
    #expect(reordered.contentHash() == base.contentHash())
  }

  @Test func differencesNameTheKeys() throws {
    let first = try resolve("model.width = 512\nmodel.contextLength = 3")
    let second = try resolve("precision = 'fp32'")
    let found = first.differences(from: second)
    #expect(found.map(\.key) == ["model.width", "model.contextLength", "precision"])
    #expect(found[0].description == "model.width: 512, other 256")
    #expect(found[1].description == "model.contextLength: 3, other absent")
    #expect(first.differences(from: second, excluding: ["model"]).map(\.key) == ["precision"])
    #expect(first.differences(from: first).isEmpty)
    let none = ResolvedConfiguration(entries: [])
    #expect(none.differences(from: second).count == second.entries.filter { $0.value != nil }.count)
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func sha256AgreesWithThePublishedExamples(text: String, digest: String) {
    #expect(SHA256.hexadecimal(of: Array(text.utf8)) == digest)
  }

  /// A million times the letter a (the third published example), in pieces of any size.
  @Test func sha256DoesNotDependOnHowBytesComeInPieces() {
    let bytes = [UInt8](repeating: 97, count: 1000)
    for size in [1, 63, 64, 65, 1000] {
      var stream = SHA256.Stream()
      for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(bytes.count, start + size)].withUnsafeBytes { stream.update($0) }
      }
      #expect(stream.hexadecimal == SHA256.hexadecimal(of: bytes), "\(size)")
    }
    var stream = SHA256.Stream()
    for _ in 0..<1000 { bytes.withUnsafeBytes { stream.update($0) } }
    #expect(
      stream.hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func originsReadBackFromTheirText() {
    for origin in [
      ConfigurationOrigin.default, .preset("a b"), .file("/x/y z.toml"), .commandLine,
    ] {
      #expect(ConfigurationOrigin(origin.description) == origin)
    }
    #expect(ConfigurationOrigin("elsewhere") == nil)
  }
}

@Suite struct SpellingTests {
  @Test(arguments: [
    ("adanw", "adamw"), ("AdamW", "adamw"), ("adam-w", "adamw"), ("mouon", "muon"),
    ("soap", nil), ("", nil), ("loin", "lion"), ("x", nil),
  ])
  func theNearestNameIsFoundOrNone(name: String, expected: String?) {
    #expect(nearest(to: name, among: ["adamw", "muon", "lion", "adamax"]) == expected)
  }

  @Test func distancesCountTranspositionsOnce() {
    func distance(_ a: String, _ b: String) -> Int { editDistance(Array(a), Array(b)) }
    #expect(distance("", "abc") == 3)
    #expect(distance("abc", "abc") == 0)
    #expect(distance("abcd", "acbd") == 1)
    #expect(distance("kitten", "sitting") == 3)
    #expect(distance("ca", "abc") == 3)
  }
}
