// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How GPT-2's files and Hugging Face's write bytes as visible characters.
///
/// The bytes that are printable in Latin-1 (33-126, 161-172, 174-255) stand for themselves; the other 68,
/// in order, are U+0100, U+0101, ... A space is therefore U+0120.
enum ByteLevelAlphabet {
  /// The character of each byte.
  static let scalars: [Unicode.Scalar] = {
    var scalars: [Unicode.Scalar] = []
    var shifted: UInt8 = 0
    for byte in UInt8.min...UInt8.max {
      switch byte {
      case 33...126, 161...172, 174...255:
        scalars.append(Unicode.Scalar(byte))
      default:
        scalars.append(Unicode.Scalar(UInt16(256) + UInt16(shifted)) ?? "?")
        shifted += 1
      }
    }
    return scalars
  }()

  /// The token of each byte in a vocabulary that is written in this alphabet.
  static func byteTokens(
    in vocabulary: [String: Int32], place: String
  ) throws(DataError) -> [Int32] {
    var tokens: [Int32] = []
    for (byte, scalar) in scalars.enumerated() {
      guard let token = vocabulary[String(Character(scalar))] else {
        throw DataError(
          .malformedTokenizer,
          "\(place): the vocabulary has no token for byte \(byte) (written '\(scalar)'); "
            + "only byte-level vocabularies are supported.")
      }
      tokens.append(token)
    }
    return tokens
  }

  /// The merges of pairs of tokens whose texts, joined, are a third token's.
  static func merges(
    _ pairs: some Sequence<(Substring, Substring)>, vocabulary: [String: Int32], place: String
  ) throws(DataError) -> [BytePairModel.Merge] {
    var merges: [BytePairModel.Merge] = []
    for (left, right) in pairs {
      let whole = String(left) + String(right)
      guard let leftToken = vocabulary[String(left)], let rightToken = vocabulary[String(right)],
        let result = vocabulary[whole]
      else {
        throw DataError(
          .malformedTokenizer,
          "\(place): merge \(merges.count) of '\(left)' and '\(right)' needs a token that is not in the "
            + "vocabulary.")
      }
      merges.append(.init(left: leftToken, right: rightToken, result: result))
    }
    return merges
  }
}
