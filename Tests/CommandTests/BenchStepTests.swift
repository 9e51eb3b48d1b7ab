// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `assay bench step`, as far as it can be seen without measuring a time.
@Suite struct BenchStepTests {
  @Test(arguments: [
    (["--micro-batches", "3"], "shape S has 8 sequences"),
    (["--alone"], "no effect without --device"),
    (["--steps-to", "a.safetensors"], "no effect without --check"),
    (["--check"], "nothing to compare the processor with"),
    (["--check", "--device", "xla:cpu", "--peers"], "leave one out"),
    (["--check", "--device", "xla:cpu", "--alone"], "leave --alone out"),
    (["--peers", "--script", "peers/jax_step.py"], "--device xla:cpu"),
    (["--device", "xla:cpu", "--devices", "2", "--peers"], "leave --devices out"),
    (["--device", "xla:cpu", "--devices", "2", "--micro-batches", "8"], "takes 1 sequences"),
    (["--shape", "150"], "150m"),
    (["--precision", "fp8"], "bf16"),
  ])
  func optionsThatMakeNoSenseAreRefused(arguments: [String], text: String) throws {
    let result = try Command.run(["bench", "step"] + arguments)
    #expect(result.code == 64 && result.errors.contains(text), "\(result)")
    #expect(result.output.isEmpty, "\(result)")
  }

  @Test(arguments: [
    (["--device", "cuda"], "Did you mean 'xla:cuda'?"),
    (["--device", "cpu"], "no runs share a program"),
    (["--counts", "0"], "1,2,4,8"),
    (["--precision", "fp8"], "fp32 or bf16"),
  ])
  func optionsOfRunsThatMakeNoSenseAreRefused(arguments: [String], text: String) throws {
    let result = try Command.run(["bench", "runs"] + arguments)
    #expect(result.code == 64 && result.errors.contains(text), "\(result)")
  }

  @Test func shapesArePrintedAsThePeersAreToldThem() throws {
    let result = try Command.run(["bench", "shapes"])
    let shapes = try #require(try result.json() as? [String: [String: Any]], "\(result)")
    #expect(shapes.keys.sorted() == ["10m", "150m", "M", "P", "S"])
    #expect(shapes["S"]?["vocabulary_size"] as? Int == 4096)
    #expect(shapes["150m"]?["sequences"] as? Int == 256)
  }

  @Test func aCheckFindsTheStepsOfAFileAgainAndSaysWhatIsOff() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "assay-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("steps.safetensors")
    let check = ["bench", "step", "--shape", "S", "--check", "--precision", "bf16"]
    let written = try Command.run(check + ["--steps-to", file.path])
    #expect(written.code == 0 && written.output.isEmpty, "\(written)")

    let right = try Command.run(check + ["--steps-from", file.path, "--json"])
    #expect(right.code == 0, "\(right)")
    let found = try #require((right.json()["precisions"] as? [[String: Any]])?.first)
    #expect((found["losses"] as? [Double])?.count == 4, "\(right)")

    // Weights as they were at first: what a step that moves nothing leaves.
    let good = try Data(contentsOf: file)
    var still = good
    let ranges = try Safetensors(good).ranges
    let (initial, final) = (
      try #require(ranges["initial.head.weight"]), try #require(ranges["final.head.weight"])
    )
    still.replaceSubrange(final, with: good[initial])
    try still.write(to: file)
    let unmoved = try Command.run(check + ["--steps-from", file.path])
    #expect(unmoved.code == 1, "\(unmoved)")
    #expect(unmoved.errors.contains("the last head.weight: off by"), "\(unmoved)")

    // The last of four losses, 20 % higher than it is.
    var data = good
    let range = try #require(try Safetensors(data).ranges["losses"])
    let last = range.upperBound - 4..<range.upperBound
    let loss = data[last].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let higher = (Float(bitPattern: loss) * 1.2).bitPattern.littleEndian
    data.replaceSubrange(last, with: withUnsafeBytes(of: higher) { Data($0) })
    try data.write(to: file)
    let wrong = try Command.run(check + ["--steps-from", file.path])
    #expect(wrong.code == 1, "\(wrong)")
    #expect(wrong.errors.contains("the losses: off by 1.7e-01"), "\(wrong)")
  }
}
