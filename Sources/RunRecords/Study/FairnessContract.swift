// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What has to be equal for two runs to be compared: the file `contract.json` of every run.
///
/// The trainer fills it from what it really does (weights in memory, tokens it will draw), not from configuration keys, so that two
/// ways of writing the same thing agree and a default that changed does not go unnoticed.
public struct FairnessContract: Codable, Equatable, Sendable {
  /// One condition of a fair comparison.
  public enum Field: String, Codable, CaseIterable, Sendable, CodingKeyRepresentable {
    /// Architecture, sizes and switches of the model.
    case model
    /// Checksum of the initial weights, all parameters by name.
    case initialWeights
    /// Fingerprint of the data set.
    case data
    /// Which tokens come in which order: data seed, context length, packing, document mask.
    case tokenOrder
    /// Tokens of each update, with their course over the steps.
    case batchTokens
    /// Targets that training sees in all.
    case trainingTokens
    /// Which held-out tokens the validation loss is measured on, in sequences of which length, and with which windows after the last step.
    case evaluationTokens
    /// The rule for clipping gradients.
    case clipping
    /// Which roles weight decay applies to, whatever its strength.
    case decayRoles
    /// The learning rate's course relative to its peak.
    case schedule
    /// What products, master weights and optimizer state are kept in.
    case precision
    /// What is added to the cross-entropy in training.
    case auxiliaryLoss
    /// How many trials chose the arm's hyperparameters, at most; `none` outside studies and in those that tune nothing.
    case tuning
  }

  /// The version of the file.
  public private(set) var format = 1
  /// The conditions in words, or checksums of what is too long to read.
  public let values: [Field: String]
  /// SHA-256 of ``canonicalText`` in hexadecimal.
  public let hash: String

  /// Seals conditions.
  ///
  /// - Parameters:
  ///   - values: a value for every field.
  ///   - sha256: hexadecimal SHA-256 of a text.
  public init(_ values: [Field: String], sha256: (String) -> String) {
    self.values = values
    hash = sha256(Self.canonicalText(values))
  }

  /// One line for each field, in a fixed order: what the hash is taken of.
  public var canonicalText: String { Self.canonicalText(values) }

  private static func canonicalText(_ values: [Field: String]) -> String {
    Field.allCases.map { "\($0.rawValue)=\(values[$0] ?? "")\n" }.joined()
  }

  /// The fields in which two contracts differ.
  public func differences(from other: FairnessContract) -> [Field] {
    Field.allCases.filter { values[$0] != other.values[$0] }
  }
}
