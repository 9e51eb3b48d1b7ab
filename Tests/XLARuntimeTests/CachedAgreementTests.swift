// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import OperationCases
@testable import XLARuntime

@Suite(
  "Programs from the cache, case by case", .enabled(if: PluginUnderTest.isPresent), .serialized)
struct CachedAgreementTests {
  static let client = Shared { try PluginUnderTest.client() }
  /// Loops, sorts, tables, narrow numbers and conditions, in programs that update what they keep.
  static let cases = [
    OperationCases.steps.last, OperationCases.updates.first, OperationCases.samples.last,
  ].compactMap(\.self)

  @Test("A loaded program does what the compiled one does, to the bit", arguments: cases)
  func agrees(_ operationCase: OperationCase) throws {
    let folder = CacheFolder()
    let cache = ProgramCache(folder: folder.path)
    let client = try Self.client.value()
    _ = try XLARuntime(client: client, cache: cache).compile(
      RuntimeAgreement.conditional(operationCase.build()))
    let loaded = try XLARuntime(client: client, cache: cache)
    let agreement = try RuntimeAgreement(
      operationCase, loaded, against: XLARuntime(client: client))
    let origins = loaded.compilations.map(\.isFromCache)
    #expect(!origins.isEmpty && !origins.contains(false))
    #expect(agreement.worst?.relativeError == 0, "\(agreement)")
  }
}
