// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import LanguageModels
import TensorGraph
import Testing
import Training

@Suite struct ModelFixtureTests {
  /// A runtime and what it may be off by, as ||a - b|| / ||b||.
  enum Subject: String, CaseIterable, Sendable {
    case reference, cpu

    var runtime: TestRuntime { self == .reference ? .reference : .cpu }
    /// Loss, logits and gradients: double precision rounded once, or single precision throughout.
    var tolerance: Double { self == .reference ? 3e-7 : 1e-5 }
  }

  @Test("There are fixtures of both families")
  func fixturesExist() {
    #expect(ModelFixture.names.filter { $0.hasPrefix("decoder") }.count >= 4)
    #expect(ModelFixture.names.filter { $0.hasPrefix("llama") }.count >= 3)
  }

  @Test(
    "Logits, loss and every gradient agree with PyTorch", arguments: ModelFixture.names,
    Subject.allCases)
  func gradients(name: String, subject: Subject) throws {
    let fixture = try ModelFixture(name)
    let runtime = try subject.runtime.make()
    let (step, _) = try fixture.makeStep(runtime, precision: .fp32)

    let logits = try runtime.compile(
      step.definition.logitsProgram(sequences: fixture.description.sequences))
    try fill(logits, fixture)
    try logits.run()
    let found = Array(logits.output("logits").bindMemory(to: Float.self))
    #expect(try relativeError(found, fixture.numbers("logits")) < subject.tolerance)

    var errors: [String: Double] = [:]
    let result = try step.run(fixture.settings) { executable in
      for parameter in fixture.model.parameters {
        let bytes = executable.output("gradient." + parameter.name)
        errors[parameter.name] = relativeError(
          Array(bytes.bindMemory(to: Float.self)),
          (try? fixture.numbers("gradient." + parameter.name)) ?? [])
      }
    }
    #expect(errors.count == fixture.model.parameters.count)
    for (parameter, error) in errors { #expect(error < subject.tolerance, "\(parameter)") }
    #expect(try abs(result.loss / fixture.number("loss") - 1) < subject.tolerance)
    #expect(try abs(result.crossEntropy / fixture.number("cross_entropy") - 1) < subject.tolerance)
    #expect(try abs(result.gradientNorm / fixture.number("gradient_norm") - 1) < subject.tolerance)
  }

  @Test("Twenty AdamW steps stay with PyTorch", arguments: ModelFixture.names)
  func trajectory(name: String) throws {
    let fixture = try ModelFixture(name)
    let (step, tensors) = try fixture.makeStep(CPURuntime(threads: 2), precision: .fp32)
    let losses = try fixture.numbers("losses")
    for index in 0..<fixture.description.steps {
      let settings = fixture.settings
      let result = try step.run(settings)
      #expect(result.isUpdated)
      #expect(abs(result.loss / losses[index] - 1) < 1e-4, "step \(index)")
    }
    for parameter in fixture.model.parameters {
      let values = Array(try #require(try tensors.values(parameter.name, for: .reading)))
      let error = relativeError(values, try fixture.numbers("final." + parameter.name))
      #expect(error < 1e-4, "\(parameter.name)")
    }
  }

  @Test("bf16 is as near to fp32 as PyTorch's own bf16 is", arguments: ModelFixture.names)
  func bf16(name: String) throws {
    let fixture = try ModelFixture(name)
    let (step, _) = try fixture.makeStep(CPURuntime(threads: 2), precision: .bf16)
    var squares = 0.0
    var theirs = 0.0
    let result = try step.run(fixture.settings) { executable in
      for parameter in fixture.model.parameters {
        let bytes = executable.output("gradient." + parameter.name)
        let error = relativeError(
          Array(bytes.bindMemory(to: Float.self)),
          (try? fixture.numbers("gradient." + parameter.name)) ?? [])
        let their = (try? fixture.number("bf16.gradient_error." + parameter.name)) ?? 0
        squares += error * error
        theirs += their * their
        #expect(error > 1e-6, "\(parameter.name): nothing was rounded")
        #expect(error < 2 * their, "\(parameter.name)")
      }
    }
    #expect(squares.squareRoot() < 1.25 * theirs.squareRoot())
    let loss = try fixture.number("loss")
    #expect(abs(result.loss / loss - 1) < 2e-3)
  }

  private func fill(_ executable: any Executable, _ fixture: ModelFixture) throws {
    for name in ["tokens", "documents"] {
      guard let memory = executable.hostBuffer(name) else { continue }
      try fixture.fill(memory.bindMemory(to: Int32.self), name)
    }
  }
}
