// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Testing

@testable import RunIndex

struct RunQueryTests {
  let runs: InventedRuns
  let index: RunIndex

  init() throws {
    runs = try InventedRuns()
    try runs.add("1", arm: "x", seed: 1, rate: 0.1, loss: 3)
    try runs.add("2", arm: "x", seed: 2, rate: 0.01, loss: 2)
    try runs.add("3", arm: "y", seed: 1, rate: 0.001, status: .diverged, loss: .nan)
    try runs.add("4", arm: "y", seed: 2, rate: 0.1, loss: 1)
    index = try RunIndex(folder: runs.path)
    try index.update()
  }

  func paths(_ conditions: [String], sort: String = "path", limit: Int? = nil) throws -> [String] {
    var query = RunQuery()
    query.conditions = try conditions.map { try .init(parsing: $0) }
    query.sort = sort
    query.limit = limit
    return try index.runs(query).map(\.path)
  }

  @Test(arguments: [
    (["status=finished"], ["1", "2", "4"]),
    (["status!=finished"], ["3"]),
    (["optimizer.name=x"], ["1", "2"]),
    (["optimizer.learning_rate=0.1"], ["1", "4"]),
    (["optimizer.learning_rate = 1e-1"], ["1", "4"]),
    (["optimizer.learning_rate<0.1", "training.seed>=2"], ["2"]),
    (["optimizer.learning_rate>=0.01", "optimizer.name!=x"], ["4"]),
    (["loss<=2"], ["2", "4"]),
    (["loss!=2"], ["1", "3", "4"]),
    (["peakBytes>999"], ["1", "2", "3", "4"]),
    (["model.tied=true"], ["1", "2", "3", "4"]),
    (["model.tied=false"], []),
    (["method=y", "seed=1"], ["3"]),
    (["study=nobody"], []),
    // A value is never SQL.
    (["status=' OR 1=1 --"], []),
  ])
  func conditionsChooseRuns(conditions: [String], expected: [String]) throws {
    #expect(try paths(conditions) == expected)
  }

  @Test func runsAreSortedWithMissingOnesLast() throws {
    #expect(try paths([], sort: "loss") == ["4", "2", "1", "3"])
    #expect(try paths([], sort: "-loss") == ["1", "2", "4", "3"])
    #expect(try paths([], sort: "-optimizer.learning_rate", limit: 2) == ["1", "4"])
    #expect(try paths([], limit: 0).isEmpty)
  }

  @Test(arguments: ["status", "", "=x", "==", "!x"])
  func whatIsNoConditionIsRefused(text: String) {
    let error = #expect(throws: RunIndexError.self) { try RunQuery.Condition(parsing: text) }
    #expect(error?.code == .query)
  }

  @Test(arguments: [
    ("optimizer.lerning_rate=1", "Did you mean 'optimizer.learning_rate'?"),
    ("statsu=finished", "Did you mean 'status'?"),
    ("peakByte>1", "Did you mean 'peakBytes'?"),
    ("status\";DROP TABLE run;--=1", "no run has"),
  ])
  func unknownNamesAreErrorsWithTheNearest(condition: String, text: String) throws {
    let error = #expect(throws: RunIndexError.self) { try paths([condition]) }
    #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    #expect(try index.runs().count == 4)
  }

  @Test func anEmptyIndexAnswersEverything() throws {
    let folder = try InventedRuns()
    let empty = try RunIndex(folder: folder.path)
    var query = RunQuery()
    query.conditions = [.init("optimizer.name", .equal, "x")]
    #expect(try empty.runs(query).isEmpty)
  }
}
