// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

/// Synthetic text: what is said about its entropy must be true.
struct SyntheticTextTests {
  /// Small enough for debug builds.
  static func options(order: Int, seed: UInt64 = 5) -> SyntheticProcess.Options {
    var options = SyntheticProcess.Options()
    options.vocabulary = 65
    options.classes = 8
    options.order = order
    options.seed = seed
    return options
  }

  @Test(arguments: [1, 2])
  func probabilitiesSumToOneAndKeepZipfsFrequencies(order: Int) throws {
    let process = try SyntheticProcess(Self.options(order: order))
    for before: [Int32] in [[], [3], [60, 2], [0, 63]] {
      let sum = (0..<64).reduce(0) { $0 + process.probability(of: $1, after: before[...]) }
      #expect(abs(sum - 1) < 1e-12, "after \(before)")
    }
    for table in process.preferences {
      for word in 0..<64 {
        let stationary = (0..<8).reduce(0) {
          $0 + process.classWeight[$1] * table[$1 * 64 + word]
        }
        #expect(abs(stationary / process.unigram[word] - 1) < 1e-12, "word \(word)")
      }
    }
    // Classes are dealt out evenly.
    #expect((0..<8).allSatisfy { group in process.classOfWord.count { $0 == group } == 8 })
  }

  @Test func theEntropyRateIsTheSumOverWordsWrittenOut() throws {
    // Order 2 over words instead of classes: the stationary distribution of pairs of words, by brute force.
    var options = Self.options(order: 2)
    options.vocabulary = 13
    options.classes = 3
    let process = try SyntheticProcess(options)
    let words = 12
    var pairs = [Double](repeating: 1 / Double(words * words), count: words * words)
    func chance(_ word: Int, _ last: Int, _ before: Int) -> Double {
      process.probability(of: word, after: [Int32(before), Int32(last)][...])
    }
    for _ in 0..<40 {
      var moved = [Double](repeating: 0, count: words * words)
      for last in 0..<words {
        for before in 0..<words {
          for word in 0..<words {
            moved[word * words + last] += pairs[last * words + before] * chance(word, last, before)
          }
        }
      }
      pairs = moved
    }
    var entropy = 0.0
    for last in 0..<words {
      for before in 0..<words {
        for word in 0..<words {
          let p = chance(word, last, before)
          entropy -= pairs[last * words + before] * p * log(p)
        }
      }
    }
    #expect(abs(process.entropyRate - entropy) < 1e-9, "\(process.entropyRate) against \(entropy)")
    // Without classes nothing is left but Zipf's law.
    options.share = 0
    let plain = try SyntheticProcess(options)
    #expect(abs(plain.entropyRate - plain.unigramEntropy) < 1e-12)
    #expect(process.entropyRate < plain.unigramEntropy - 0.01)
  }

  @Test(arguments: [1, 2])
  func theTrueModelsLossOnALongTextIsTheFloor(order: Int) throws {
    let process = try SyntheticProcess(Self.options(order: order))
    let text = process.text(count: 60_000, name: "long")
    let loss = process.loss(on: text)
    #expect(loss.standardError < 0.006)
    #expect(abs(loss.mean - process.entropyRate) < 4 * loss.standardError)
  }

  @Test func countingPairsOfALongTextGivesTheFloorFromAbove() throws {
    // Order 1: the plain conditional entropy of counts falls short of the floor by about (free numbers) / 2n: the
    // estimator's known bias (Miller, 1955), which is added here.
    let process = try SyntheticProcess(Self.options(order: 1))
    let text = process.text(count: 120_000, name: "counts")
    var counts = [Double](repeating: 0, count: 8 * 64)
    for (last, next) in zip(text, text.dropFirst()) {
      counts[process.classOfWord[Int(last)] * 64 + Int(next)] += 1
    }
    var entropy = 0.0
    for group in 0..<8 {
      let row = counts[group * 64..<group * 64 + 64]
      let sum = row.reduce(0, +)
      for count in row where count > 0 { entropy -= count * log(count / sum) }
    }
    entropy = entropy / Double(text.count - 1) + 8 * 63 / (2 * Double(text.count))
    #expect(abs(entropy - process.entropyRate) < 4 * process.loss(on: text).standardError)
  }

  @Test func noModelThatLearnsFromTheTrainingTextIsBelowTheFloor() throws {
    // A bigram model on an order 1 text: it knows the order, not the classes, and comes near without getting below.
    let process = try SyntheticProcess(Self.options(order: 1))
    let train = process.text(count: 120_000, name: "train")
    let heldOut = process.text(count: 30_000, name: "validation")
    var counts = [Double](repeating: 0.5, count: 64 * 64)
    for (last, next) in zip(train, train.dropFirst()) { counts[Int(last) * 64 + Int(next)] += 1 }
    let sums = (0..<64).map { counts[$0 * 64..<$0 * 64 + 64].reduce(0, +) }
    var loss = 0.0
    for (last, next) in zip(heldOut, heldOut.dropFirst()) {
      loss -= log(counts[Int(last) * 64 + Int(next)] / sums[Int(last)])
    }
    loss /= Double(heldOut.count - 1)
    let floor = process.loss(on: heldOut).mean
    #expect(loss > floor)
    #expect(loss < process.unigramEntropy - 0.1, "\(loss) is no better than single words")
    #expect(loss < floor + 0.05)
  }

  @Test(arguments: [0.7, 1.0, 1.4])
  func frequenciesFollowZipfsLaw(zipf: Double) throws {
    var options = Self.options(order: 2)
    options.zipf = zipf
    let process = try SyntheticProcess(options)
    let text = process.text(count: 60_000, name: "frequencies")
    var counts = [Double](repeating: 0, count: 64)
    for word in text { counts[Int(word)] += 1 }
    // The slope of log count over log rank, each rank weighted by its count.
    let points = (0..<64).filter { counts[$0] > 0 }.map {
      (x: log(Double($0 + 1)), y: log(counts[$0]), weight: counts[$0])
    }
    let weight = points.reduce(0) { $0 + $1.weight }
    let x = points.reduce(0) { $0 + $1.weight * $1.x } / weight
    let y = points.reduce(0) { $0 + $1.weight * $1.y } / weight
    let slope =
      points.reduce(0) { $0 + $1.weight * ($1.x - x) * ($1.y - y) }
      / points.reduce(0) { $0 + $1.weight * ($1.x - x) * ($1.x - x) }
    #expect(abs(slope + zipf) < 0.03, "slope \(slope)")
  }

  @Test func theUsualProcessHasTheFloorThatItsDocumentNames() throws {
    let process = try SyntheticProcess(SyntheticProcess.Options())
    #expect(abs(process.unigramEntropy - 4.76289) < 1e-5)
    // Another seed is another language with nearly the same floor.
    #expect(abs(process.entropyRate - 4.49) < 0.02, "\(process.entropyRate)")
  }

  // MARK: - The data set

  @Test func aDataSetIsDeterministicAndKnowsItsFloor() throws {
    let folder = try TemporaryFolder()
    func make(_ name: String, seed: UInt64) throws -> DatasetManifest {
      var synthesis = DatasetSynthesis(output: folder.file(name))
      synthesis.process = Self.options(order: 2, seed: seed)
      synthesis.tokens = 5000
      synthesis.validationTokens = 2000
      return try synthesis.run()
    }
    let manifest = try make("a", seed: 5)
    #expect(try make("b", seed: 5) == manifest)
    for name in ["manifest.json", "train-00000.tokens", "validation-00000.tokens"] {
      #expect(try folder.read("a/" + name) == folder.read("b/" + name))
    }
    #expect(try make("c", seed: 6).contentHash != manifest.contentHash)

    let dataset = try TokenDataset(folder: folder.file("a"), checksums: .always)
    #expect(dataset.manifest == manifest)
    #expect(dataset.vocabularySize == 65)
    #expect(dataset.train.count == 5000)
    #expect(dataset.validation.count == 2000)
    let synthetic = try #require(manifest.synthetic)
    let process = try SyntheticProcess(synthetic.process)
    #expect(synthetic.entropyRate == process.entropyRate)
    // The held-out loss is that of the tokens as they lie in the file.
    let heldOut = dataset.validation.tokens(0..<2000)
    #expect(heldOut[0] == 64)
    #expect(process.loss(on: Array(heldOut.dropFirst())).mean == synthetic.validationLoss)
    #expect(
      abs(synthetic.validationLoss - synthetic.entropyRate) < 4 * synthetic.validationStandardError)

    let tokenizer = try dataset.loadTokenizer()
    #expect(tokenizer.kind == .synthetic)
    #expect(try tokenizer.decodeText([64, 3, 17]) == "<|endoftext|>3 17 ")
    #expect(try tokenizer.decode([3, 17]).isEmpty)
    #expect(try tokenizer.encodePrompt(" 3  17") == [3, 17])
    #expect(throws: DataError.self) { try tokenizer.encodePrompt("3 seventeen") }
    #expect(throws: DataError.self) { try tokenizer.encodePrompt("65") }
    let inspection = try DatasetInspection(folder: folder.file("a")).text
    #expect(inspection.contains("floor       \(String(format: "%.5f", synthetic.entropyRate))"))
    #expect(inspection.contains("held out    "))
  }

  @Test(arguments: [
    ("d", "", "d"), ("a/b", "a", "b"), ("/d", "/", "d"), ("/a/b", "/a", "b"), ("../x", "..", "x"),
  ])
  func pathsOfOneLetterAreSplitToo(path: String, parent: String, last: String) {
    #expect(StagingFolder.split(path) == (parent, last))
  }

  @Test func aSyntheticVocabularyEncodesNoText() throws {
    let folder = try TemporaryFolder()
    var synthesis = DatasetSynthesis(output: folder.file("set"))
    synthesis.process = Self.options(order: 1)
    synthesis.tokens = 100
    synthesis.validationTokens = 100
    try synthesis.run()
    try folder.write("some text\n\nmore text\n", to: "text.txt")
    let preparation = DatasetPreparation(
      inputs: [folder.file("text.txt")], output: folder.file("other"),
      tokenizer: .file(folder.file("set/tokenizer.json")))
    let error = #expect(throws: DataError.self) { try preparation.run() }
    #expect(error?.code == .unsupportedTokenizer)
    // Neither does a vocabulary whose file was edited pass.
    let text = String(decoding: try folder.read("set/tokenizer.json"), as: UTF8.self)
    try folder.write(
      text.replacingOccurrences(of: "\"vocabulary_size\": 65", with: "\"vocabulary_size\": 66"),
      to: "set/tokenizer.json")
    #expect(throws: DataError.self) {
      try TokenDataset(folder: folder.file("set")).loadTokenizer()
    }
  }

  @Test(arguments: [
    ("vocabulary", 7.0), ("classes", 0), ("classes", 65), ("order", 0), ("order", 3),
    ("share", -0.1), ("share", 1.1), ("share", .nan), ("zipf", -1), ("zipf", 5), ("tokens", 1),
    ("validation", 1),
  ])
  func numbersOutsideTheirRangeAreRefused(name: String, value: Double) throws {
    let folder = try TemporaryFolder()
    var synthesis = DatasetSynthesis(output: folder.file("set"))
    synthesis.process = Self.options(order: 1)
    switch name {
    case "vocabulary": synthesis.process.vocabulary = Int(value)
    case "classes": synthesis.process.classes = Int(value)
    case "order": synthesis.process.order = Int(value)
    case "share": synthesis.process.share = value
    case "zipf": synthesis.process.zipf = value
    case "tokens": synthesis.tokens = Int(value)
    default: synthesis.validationTokens = Int(value)
    }
    let error = #expect(throws: DataError.self) { try synthesis.run() }
    #expect(error?.code == .invalidOption)
    #expect(try folder.names().isEmpty)
  }
}
