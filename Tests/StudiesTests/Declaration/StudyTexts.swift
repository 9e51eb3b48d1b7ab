// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation

@testable import Studies

/// A preset that needs no data: nothing is run here.
let tinyBase = """
  [data]
  path = "nowhere"
  [model]
  vocabulary_size = 256
  width = 32
  head_width = 16
  layers = 1
  context_length = 32
  [training]
  batch_tokens = 64
  steps = 100
  [optimizer]
  name = "adamw"
  learning_rate = 7e-3
  beta2 = 0.97
  gradient_clip = 0.5
  [schedule]
  kind = "cosine"
  warmup_fraction = 0.1
  """

/// A study with everything that a study can have.
let fullStudy = """
  name = "full"
  question = "Which?"
  base = "tiny"
  baseline = "adamw"

  [common]
  evaluation.every = 20

  [budget]
  tokens = 12800

  [seeds]
  tuning = [101, 102, 103]
  reporting = 6

  [tuning]
  refine = true
  extensions = 3
  [tuning.learning_rates]
  lion = [1e-4, 1e-3]
  [tuning.axis.decay]
  key = "optimizer.weight_decay"
  values = [0.1, 0]
  [tuning.axis.momentum.arms]
  sgd = "optimizer.momentum"
  lion = ["optimizer.beta1", "optimizer.beta2"]
  [tuning.axis.momentum]
  values = [0.8, 0.9]

  [[variant]]
  name = "short"
  [[variant]]
  name = "long"
  budget.tokens = 25600
  model.variant = "plain"

  [[arm]]
  optimizer.name = "adamw"
  optimizer.beta2 = 0.95
  [[arm]]
  optimizer.name = "sgd"
  learning_rate = "fixed"
  differs = ["tuning"]
  [[arm]]
  optimizer.name = "lion"
  variants = ["short"]
  differs = ["schedule"]
  schedule.kind = "linear"
  [[arm.optimizer.rule]]
  name = "head"
  roles = ["head"]
  method = "adamw"
  [[arm.optimizer.rule]]
  name = "norms"
  roles = ["norms"]
  train = false

  [[sweep]]
  name = "rate"
  key = "optimizer.learning_rate"
  factors = { log = [0.1, 10], points = 5 }
  seeds = 2
  [[sweep]]
  name = "batch"
  key = "training.batch_tokens"
  values = [32, 64, 128]
  arms = ["adamw"]
  variants = ["short"]
  [[sweep]]
  name = "norm"
  key = "model.qk_norm"
  values = [true, false]

  [target]
  losses = [3.2]
  baseline = true
  ladder = [1, 0.5]
  seeds = 3

  [rule]
  level = 0.01
  margin = { share = 0.2, from = "adamw", to = "sgd", deviations = 1 }
  pairing = "always"
  family = [["sgd", "adamw"]]
  explore = true

  [stopping]
  divergence_margin = 1
  race = true
  audit = 0.5

  [[claim]]
  name = "c"
  statement = "It holds."
  left = { kind = "basin", arm = "sgd", sweep = "rate", factor = 0.5 }
  relation = "not-below"
  right = { kind = "basin", arm = "adamw", sweep = "rate", variant = "short" }
  value = 0.1
  family = "f"

  """

/// Reads a study out of a text.
func read(
  _ text: String, size: String? = nil, overrides: [String] = [], base: String = tinyBase,
  requiresData: Bool = false, speed: Double? = nil
) throws -> StudyDeclaration {
  let folder = NSTemporaryDirectory() + "assay-study-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let file = folder + "/test.toml"
  try Data(text.utf8).write(to: URL(fileURLWithPath: file))
  var surroundings = StudyDeclaration.Surroundings { $0 == "tiny" ? base : nil }
  surroundings.requiresData = requiresData
  if let speed { surroundings.stepsPerSecond = { _, _, _ in speed } }
  surroundings.revision = "abc"
  return try StudyDeclaration(file: file, size: size, overrides: overrides, surroundings)
}

/// The messages of what is wrong with a study, without the folder it lay in.
func problems(
  _ text: String, size: String? = nil, base: String = tinyBase, requiresData: Bool = false
) -> [String] {
  do {
    _ = try read(text, size: size, base: base, requiresData: requiresData)
    return []
  } catch {
    let all = (error as? ConfigurationError)?.problems.map(\.message) ?? ["\(error)"]
    return all.map {
      $0.replacing(/\/[^ ]*\/test\.toml/, with: "test.toml")
    }
  }
}

/// A small study of two arms, with more text after it.
func smallStudy(_ more: String, arms: String = "") -> String {
  """
  base = "tiny"
  [[arm]]
  optimizer.name = "adamw"
  [[arm]]
  optimizer.name = "sgd"
  \(arms)
  \(more)
  """
}
