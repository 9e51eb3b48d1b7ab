// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The tokens of one step, all micro-batches one after another, in memory that is made once.
///
/// A batch is a number of sequences of ``contextLength`` tokens each, one after another.
public final class StepBatch {
  /// Tokens in use; at most what there is room for.
  public var count: Int {
    didSet {
      precondition(count <= allTokens.count, "\(count) tokens, room for \(allTokens.count)")
    }
  }
  /// Tokens of each sequence; whoever sets it sees to it that ``count`` is a multiple of it when the batch is filled.
  ///
  /// A source fills sequences of this length, or refuses it with an error.
  public var contextLength: Int {
    didSet { precondition(contextLength >= 1, "sequences of \(contextLength) tokens") }
  }
  /// Sequences in use.
  public var sequences: Int {
    precondition(
      count % contextLength == 0, "\(count) tokens in sequences of \(contextLength)")
    return count / contextLength
  }
  /// Token ids.
  public var tokens: UnsafeMutableBufferPointer<Int32> { used(allTokens) }
  /// The token that follows each; negative: not counted.
  public var targets: UnsafeMutableBufferPointer<Int32> { used(allTargets) }
  /// The number of the document each token belongs to; nil when attention does not need it.
  public var documents: UnsafeMutableBufferPointer<Int32>? { allDocuments.map(used) }

  private let allTokens: UnsafeMutableBufferPointer<Int32>
  private let allTargets: UnsafeMutableBufferPointer<Int32>
  private let allDocuments: UnsafeMutableBufferPointer<Int32>?

  private func used(
    _ memory: UnsafeMutableBufferPointer<Int32>
  ) -> UnsafeMutableBufferPointer<Int32> {
    UnsafeMutableBufferPointer(rebasing: memory[0..<count])
  }

  /// Makes room for a number of tokens.
  ///
  /// - Parameters:
  ///   - count: tokens of the largest batch.
  ///   - contextLength: tokens of a sequence, at first.
  ///   - hasDocuments: whether the numbers of documents are wanted.
  public init(tokens count: Int, contextLength: Int, hasDocuments: Bool) {
    func room() -> UnsafeMutableBufferPointer<Int32> {
      let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
      buffer.initialize(repeating: 0)
      return buffer
    }
    self.count = count
    self.contextLength = contextLength
    allTokens = room()
    allTargets = room()
    allDocuments = hasDocuments ? room() : nil
  }

  deinit {
    allTokens.deallocate()
    allTargets.deallocate()
    allDocuments?.deallocate()
  }

  /// Targets that count.
  public var countedTargets: Int {
    var count = 0
    for target in targets where target >= 0 { count += 1 }
    return count
  }

  /// Copies tokens `first ..< first + count` into the input leaves of a program.
  func copy(from first: Int, count: Int, to inputs: InputBuffers) {
    func copy(
      _ source: UnsafeMutableBufferPointer<Int32>?, _ target: UnsafeMutableRawBufferPointer?
    ) {
      guard let source, let target else { return }
      target.copyMemory(from: UnsafeRawBufferPointer(source).slice(first * 4, count * 4))
    }
    copy(tokens, inputs.tokens)
    copy(targets, inputs.targets)
    copy(documents, inputs.documents)
  }
}

/// The memory of a program's input leaves, looked up once.
struct InputBuffers {
  let tokens: UnsafeMutableRawBufferPointer?
  let targets: UnsafeMutableRawBufferPointer?
  let documents: UnsafeMutableRawBufferPointer?
}

extension UnsafeRawBufferPointer {
  fileprivate func slice(_ first: Int, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[first..<first + count])
  }
}
