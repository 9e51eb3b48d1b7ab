// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Why text, a tokenizer or a data set cannot be used.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible, LocalizedError {
  /// What went wrong, as a closed set.
  public enum Code: String, Sendable, CaseIterable {
    /// No input file was found, or the inputs hold no text.
    case emptyText
    /// A file is not text: it holds NUL bytes or much invalid UTF-8.
    case binaryText
    /// A file or folder does not exist or cannot be read.
    case unreadableFile
    /// A file has an extension that is not an input, or inputs of two kinds are mixed.
    case unsupportedInput
    /// A line of a `.jsonl` file is not the expected JSON object.
    case malformedLine
    /// A tokenizer specification, size or feature that is not supported.
    case unsupportedTokenizer
    /// A tokenizer file that contradicts itself or cannot be parsed.
    case malformedTokenizer
    /// The vocabulary and the tokens do not fit each other.
    case vocabularyMismatch
    /// A shard or manifest whose content contradicts its checksum or itself.
    case corruptData
    /// A shard whose size is not what its header says.
    case truncatedData
    /// A file of another format.
    case wrongFormat
    /// A file of another version of the format.
    case wrongVersion
    /// Too few documents to hold some out.
    case tooFewDocuments
    /// Fewer tokens than one batch takes.
    case tooShort
    /// The output exists already.
    case outputExists
    /// The disk is full.
    case diskFull
    /// The place of the output may not be written to.
    case notWritable
    /// Writing failed for another reason.
    case writeFailed
    /// An option has a value outside its range.
    case invalidOption
  }

  /// What went wrong, as a closed set.
  public let code: Code
  /// What happened, which value, where, and what to do.
  public let message: String

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - code: What went wrong.
  ///   - message: What happened, which value, where, and what to do.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// The message.
  public var errorDescription: String? { message }
}
