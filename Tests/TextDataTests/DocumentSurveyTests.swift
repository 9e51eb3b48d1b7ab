// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TextData

struct DocumentSurveyTests {
  /// 29 tokens in two shards, one batch in each: 6 tokens of the document of 9 are inputs, one a target only, 2 beyond the limit.
  @Test func aSurveyCountsEveryTokenOfAPassOnce() throws {
    let shards = [
      DocumentBatchesTests.shard([9, 4, 2]),
      DocumentBatchesTests.shard([7, 5], number: 1, before: 2),
    ]
    let survey = try DocumentSurvey(
      DocumentBatchesTests.stream(shards), sequences: 1, contextLength: 6, documentLimit: 7)
    #expect(survey.batches == 2)
    var use = DocumentUse()
    use.trained = 12
    use.targetsOnly = 2
    use.beyondLimit = 2
    use.tails = 4 + 2 + 5
    use.beforeFirst = 2
    #expect(survey.use == use)
    #expect(
      survey.lines == [
        "documents   2 batches of 1 x 6 tokens in a pass, at most 7 of a document",
        "            of 29 tokens 41.4 % are inputs, 6.9 % targets only, 6.9 % beyond the limit of their document, "
          + "37.9 % behind the last batch of a shard, 6.9 % before the first document of a shard",
      ])
    for lengths in [[900, 20, 31, 7, 64], [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]] {
      let tokens = DocumentBatchesTests.shard(lengths)
      let survey = try DocumentSurvey(
        DocumentBatchesTests.stream([tokens]), sequences: 2, contextLength: 5)
      #expect(survey.use.passed == tokens.count && survey.batches > 0)
      #expect(survey.use.trained == survey.batches * 10)
    }
    let error = try #require(throws: DataError.self) {
      try DocumentSurvey(DocumentBatchesTests.stream(shards), sequences: 9, contextLength: 6)
    }
    #expect(error.code == .tooShort)
  }
}
