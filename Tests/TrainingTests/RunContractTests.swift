// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import Testing
import Training

/// The contract says what a run does, and nothing of what studies compare.
@Suite struct RunContractTests {
  /// The contract of a run that makes one step.
  func contract(
    _ changes: [String: String] = [:], source: SyntheticSource = smallSource()
  ) throws -> FairnessContract {
    let folder = try TemporaryFolder()
    let stop = StopRequest()
    stop.request()
    let configuration = try smallConfiguration(folder.path, changes)
    try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: source, stop: stop)
    return try #require(try RunRecord(path: configuration.run.folder).contract)
  }

  @Test("Every field is filled, and the hash is that of the canonical text")
  func complete() throws {
    let contract = try contract()
    #expect(Set(contract.values.keys) == Set(FairnessContract.Field.allCases))
    #expect(contract.values.values.allSatisfy { !$0.isEmpty })
    #expect(contract.hash == SHA256.hexadecimal(of: contract.canonicalText))
    #expect(contract.values[.batchTokens] == "16")
    #expect(contract.values[.trainingTokens] == "96")
    #expect(contract.values[.evaluationTokens]?.hasPrefix("24 targets") == true)
    #expect(contract.values[.data] == "synthetic")
    #expect(contract.values[.auxiliaryLoss] == "z-loss 0.0001")
    #expect(contract.values[.precision] == "fp32 products, fp32 weights")
    let roles = try #require(contract.values[.decayRoles])
    #expect(roles.contains("head") && roles.contains("mlp_in") && !roles.contains("norm_gain"))
    let schedule = try #require(contract.values[.schedule])
    #expect(schedule.hasPrefix("cosine, warm-up 0.3333, end "), "\(schedule)")
  }

  @Test(
    "What studies compare is not in it",
    arguments: [
      ["optimizer.learning_rate": "0.3"], ["optimizer.weight_decay": "0"],
      ["optimizer.beta1": "0.5"], ["optimizer.name": "lion"], ["training.accumulation_steps": "2"],
      ["evaluation.every": "2"], ["machine.threads": "1"],
      // A rule of its own with the same course, decay and clipping is no other condition.
      [
        "optimizer.rule":
          "[{name = \"tables\", roles = [\"head\"], method = \"sgd\", learning_rate = 0.5}]"
      ],
    ])
  func compared(_ changes: [String: String]) throws {
    #expect(try contract(changes).differences(from: contract()) == [])
  }

  @Test(
    "What has to be equal is noticed, each in its own field",
    arguments: [
      (["model.width": "16"], [.model, .initialWeights]),
      (["training.seed": "2", "training.data_seed": "1"], [.initialWeights]),
      (["training.data_seed": "2"], [.tokenOrder]),
      (["data.document_mask": "true"], [.tokenOrder, .evaluationTokens]),
      (["training.batch_tokens": "32"], [.batchTokens, .trainingTokens]),
      (["optimizer.gradient_clip": "0"], [.clipping]),
      (["optimizer.skip_deviations": "3"], [.clipping]),
      (["schedule.warmup_steps": "1"], [.schedule]),
      (["schedule.kind": "linear"], [.schedule]),
      (["model.z_loss": "0"], [.auxiliaryLoss]),
      (["machine.precision": "bf16"], [.precision]),
      (["optimizer.rule": "[{roles = [\"head\"], decays = false}]"], [.decayRoles]),
    ] as [([String: String], [FairnessContract.Field])])
  func noticed(_ changes: [String: String], _ fields: [FairnessContract.Field]) throws {
    let differences = try contract(changes).differences(from: contract())
    #expect(Set(differences) == Set(fields), "\(changes): \(differences)")
  }

  @Test("Other data, and other held-out tokens, are noticed")
  func data() throws {
    let other = smallSource()
    other.fingerprint = "other"
    #expect(try contract(source: other).differences(from: contract()) == [.data])
    let longer = SyntheticSource(vocabularySize: 11, validationTokens: 32)
    #expect(try contract(source: longer).differences(from: contract()) == [.evaluationTokens])
  }

  @Test("State in another type than the card's is another precision")
  func stateType() throws {
    let standard = try contract(["optimizer.name": "adafactor-bv"])
    let wide = try contract([
      "optimizer.name": "adafactor-bv", "optimizer.momentum_type": "fp32",
    ])
    #expect(wide.differences(from: standard) == [.precision])
    #expect(try standard.differences(from: contract()) == [])
    #expect(wide.values[.precision]?.contains("float32") == true)
  }

  @Test(
    "Which groups there are does not change the schedule, what one of them does otherwise is told by its name"
  )
  func groupsOfSchedule() throws {
    let folder = try TemporaryFolder()
    func schedule(_ changes: [String: String]) throws -> String? {
      try smallConfiguration(folder.path, changes).contractForecast(vocabularySize: 11)[.schedule]
    }
    let plain = try schedule([:])
    let rules = "[{name = 'gains', roles = ['norms']}, {name = 'head', roles = ['head']}]"
    #expect(try schedule(["optimizer.rule": rules]) == plain)
    let paused = try #require(
      try schedule([
        "optimizer.rule": rules,
        "schedule.pause": "{group = 'gains', after = 'warm-up', steps = 1}",
      ]))
    #expect(paused.hasPrefix((plain ?? "") + "; gains: ") && paused.hasSuffix("pause 2..<3"))
  }

  @Test("A schedule of batch sizes is told in words, one of clipping by its course")
  func courses() throws {
    let contract = try contract([
      "training.batch_tokens": "32",
      "schedule.batch_tokens":
        "{stage = [{name = \"a\", steps = 3, value = 16}, {name = \"b\", value = 32}]}",
      "schedule.gradient_clip": "{from = 2.0, to = 1.0}",
    ])
    #expect(contract.values[.batchTokens] == "16 for 3 steps, then 32 for 3 steps")
    #expect(contract.values[.trainingTokens] == "144")
    #expect(contract.values[.clipping]?.hasPrefix("global norm from 2.0 to ") == true)
  }
}
