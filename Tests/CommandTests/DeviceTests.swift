// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Devices behind plugins, as far as they are named, found and opened.
@Suite struct DeviceTests {
  /// Whether there is a plugin for tests.
  static let hasPlugin = ProcessInfo.processInfo.environment["ASSAY_XLA_PLUGIN"] != nil

  private func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 4)
    return workspace
  }

  @Test(arguments: [
    (["--machine.device=xla:cup"], "Did you mean 'xla:cpu'?"),
    (["--machine.device=gpu"], "Did you mean 'xla:cuda'?"),
    (["--machine.device=cpu", "--machine.devices=2"], "device = \"cpu\" is one device"),
    (["--machine.sharding=batch"], "the key has no effect"),
    (["--machine.device=xla:cpu", "--machine.threads=2"], "the key has no effect"),
    (["--machine.device=xla:cpu", "--machine.devices=3"], "a micro-batch has 4 sequences of 32"),
    (["--machine.device=xla:cpu", "--machine.devices=2", "--machine.sharding=stat"], "'state'"),
  ])
  func aMistakeInTheSectionIsRefused(arguments: [String], text: String) throws {
    let workspace = try workspace()
    let result = try Command.run(
      ["train", "config.toml", "--output", "run"] + arguments, in: workspace.folder)
    #expect(result.code == 64, "\(result)")
    #expect(result.errors.contains(text), "\(result)")
    #expect(!workspace.exists("run"), "\(result)")
  }

  /// The first bytes of a shared library for a processor, by its number in the header.
  private static func library(machine: UInt8) -> Data {
    var header = Data([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 57))
    header[16] = 3
    header[18] = machine
    return header
  }

  #if os(Linux)
    @Test(arguments: [
      ("nowhere.so", nil, "there is no file ./nowhere.so"),
      ("text.so", Data("not a library, by far".utf8), "is not a shared library"),
      ("other.so", library(machine: 243), "a library for another processor: riscv"),
      ("short.so", Data([0x7f]), "is not a shared library"),
    ])
    func aFileThatIsNoPluginIsRefused(name: String, content: Data?, text: String) throws {
      let workspace = try workspace()
      if let content { try workspace.write(content, to: name) }
      let result = try workspace.run(
        "train", "config.toml", "--output", "run", "--machine.device=xla:./" + name)
      #expect(result.code == 1, "\(result)")
      #expect(result.errors.contains(text), "\(result)")
      #expect(!workspace.exists("run"), "\(result)")
    }

    @Test func aLibraryThatIsNoPluginIsRefused() throws {
      let workspace = try workspace()
      // What this process has loaded is a library for this machine, and no plugin.
      let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
      let maps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
      let line = try #require(maps.split(separator: "\n").first { $0.contains("/libm.so") })
      let path = try #require(line.split(separator: " ").last)
      let result = try workspace.run(
        "train", "config.toml", "--output", "run", "--machine.device=xla:" + path)
      #expect(result.code == 1, "\(result)")
      #expect(result.errors.contains("GetPjrtApi"), "\(result)")
    }
  #endif

  @Test func withoutAPluginTheErrorSaysHowToGetOne() throws {
    let workspace = try workspace()
    let result = try Running(
      [
        "/usr/bin/env", "-u", "ASSAY_XLA_PLUGIN", "-u", "ASSAY_XLA_CPU_PLUGIN", "PATH=/nowhere",
        Command.executable(), "train", "config.toml", "--machine.device=xla:cpu",
      ], in: workspace.folder
    ).wait()
    #expect(result.code == 1, "\(result)")
    #expect(result.errors.contains("pip install xla-cpu-pjrt"), "\(result)")
  }

  @Test(.enabled(if: hasPlugin)) func aRunIsTrainedContinuedAndUsedOnDevices() throws {
    let workspace = try workspace()
    let device = ["--machine.device=xla:cpu", "--machine.devices=2"]
    let result = try Command.run(
      ["train", "config.toml", "--output", "run"] + device, in: workspace.folder)
    #expect(result.code == 0, "\(result)")
    #expect(result.errors.contains("xla: cpu, 2 devices"), "\(result)")
    let shown = try workspace.run("show", "run", "run")
    #expect(shown.output.contains("xla: cpu, 2 devices"), "\(shown)")
    for options in [[], ["--device", "cpu"]] {
      let sample = try Command.run(
        ["sample", "run", "--tokens", "3"] + options, in: workspace.folder)
      #expect(sample.code == 0, "\(sample)")
    }
    let plan = try Command.run(["plan", "config.toml"] + device, in: workspace.folder)
    #expect(plan.code == 0, "\(plan)")
  }

  @Test func theProgramOfARunIsShown() throws {
    let workspace = try workspace()
    let graph = try workspace.run("show", "program", "config.toml", "--part", "graph")
    #expect(graph.code == 0, "\(graph)")
    #expect(graph.output.contains("parameter('head.weight'): float32["), "\(graph)")
    #expect(graph.output.contains("output 'loss': %"), "\(graph)")
    let text = try workspace.run(
      "show", "program", "config.toml", "--part", "stablehlo", "--program", "evaluation")
    #expect(text.code == 0 && text.output.contains("stablehlo.dot_general"), "\(text)")
    let unknown = try workspace.run("show", "program", "config.toml", "--program", "steps")
    #expect(unknown.code == 64 && unknown.errors.contains("Did you mean 'step'?"), "\(unknown)")
  }

  @Test(.enabled(if: hasPlugin)) func theCompilersAnalysisIsShown() throws {
    let workspace = try workspace()
    let cost = try workspace.run(
      "show", "program", "config.toml", "--part", "cost", "--device", "xla:cpu")
    #expect(cost.code == 0, "\(cost)")
    for word in ["temporary", "flops", "compiled in"] {
      #expect(cost.output.contains(word), "\(word): \(cost)")
    }
  }
}
