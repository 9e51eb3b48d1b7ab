// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Disks that are full or may not be written.
@Suite(.timeLimit(.minutes(20))) struct DiskTests {
  /// Whether this machine lets a test mount a file system of its own, away from everybody else's.
  static let canMount: Bool = {
    let shell = try? Running(["/bin/sh", "-c", "unshare -rm sh -c 'mount -t tmpfs tmpfs /mnt'"])
    return shell?.wait().code == 0
  }()

  /// Runs a shell script in the workspace; `$assay` is the command.
  private func shell(
    _ script: String, in folder: URL, mounting: Bool = false
  ) throws -> Command.Result {
    try Running(
      ["/usr/bin/env"] + (mounting ? ["unshare", "-rm"] : []) + ["bash", "-c", script],
      in: folder, environment: ["assay": Command.executable()]
    ).wait()
  }

  /// Without any right to mount: a limit on the size of files has the same effect on a writer.
  @Test func aFileThatCannotGrowWhileDataIsPrepared() throws {
    let workspace = try Workspace()
    try workspace.write(Workspace.text, to: "text.txt")
    let result = try shell(
      "ulimit -f 16; exec \"$assay\" data prepare text.txt --tokenizer bytes -o data",
      in: workspace.folder)
    #expect(result.code == 1, "\(result)")
    #expect(result.errors.contains("error: "), "\(result)")
    #expect(try workspace.list(".") == ["text.txt"], "nothing is left behind")
  }

  @Test func aCheckpointThatCannotBeWrittenLosesNothing() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 40, checkpointEvery: 10)
    #expect(try workspace.run("train", "config.toml", "-o", "whole").code == 0)
    let result = try shell(
      "ulimit -f 16; exec \"$assay\" train config.toml -o run", in: workspace.folder)
    #expect(result.code == 1, "\(result)")
    #expect(result.errors.contains("error: "), "\(result)")
    let resumed = try workspace.run("train", "config.toml", "-o", "run")
    #expect(resumed.code == 0, "\(resumed)")
    #expect(try workspace.weights(of: "run") == workspace.weights(of: "whole"))
    #expect(try workspace.losses(of: "run") == workspace.losses(of: "whole"))
  }

  @Test(.enabled(if: canMount, "needs the right to mount (unshare -rm)"))
  func aFullDiskWhileDataIsPrepared() throws {
    let workspace = try Workspace()
    try workspace.write(Workspace.text, to: "text.txt")
    try workspace.write("", to: "disk/keep")
    let result = try shell(
      """
      mount -t tmpfs -o size=16k tmpfs disk
      "$assay" data prepare text.txt --tokenizer bytes -o disk/data
      code=$?
      ls -A disk
      exit $code
      """, in: workspace.folder, mounting: true)
    #expect(result.code == 1, "\(result)")
    #expect(result.errors.contains("error: ") && result.errors.contains("full"), "\(result)")
    #expect(result.output.isEmpty, "nothing is left behind: \(result)")
  }

  @Test(.enabled(if: canMount, "needs the right to mount (unshare -rm)"))
  func aFullDiskWhileTrainingLosesNothing() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 40, checkpointEvery: 10)
    try workspace.write("", to: "disk/keep")
    #expect(try workspace.run("train", "config.toml", "-o", "whole").code == 0)
    let result = try shell(
      """
      mount -t tmpfs -o size=200k tmpfs disk
      "$assay" train config.toml -o disk/run
      test $? -eq 1 || exit 10
      mount -o remount,size=50m disk
      "$assay" train config.toml -o disk/run || exit 11
      cat disk/run/checkpoints/step-00000040/tensors.safetensors | sha256sum
      sha256sum < whole/checkpoints/step-00000040/tensors.safetensors
      """, in: workspace.folder, mounting: true)
    #expect(result.code == 0, "\(result)")
    #expect(result.errors.contains("free space"), "\(result)")
    let sums = result.output.split(separator: "\n")
    #expect(sums.count == 2 && sums.first == sums.last, "\(result)")
  }

  @Test(.enabled(if: canMount, "needs the right to mount (unshare -rm)"))
  func aReadOnlyFolder() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 40)
    try workspace.write("", to: "disk/keep")
    let result = try shell(
      """
      mount -t tmpfs tmpfs disk
      "$assay" train config.toml -o disk/run --training.steps=5 2>/dev/null || exit 10
      mount -o remount,ro disk
      "$assay" data prepare text.txt --tokenizer bytes -o disk/data
      test $? -eq 1 || exit 11
      "$assay" train config.toml -o disk/new
      test $? -eq 1 || exit 12
      "$assay" trace config.toml -o disk/trace
      test $? -eq 1 || exit 13
      "$assay" show curve disk/run -o disk/curve.svg
      test $? -eq 1 || exit 14
      "$assay" show run disk/run >/dev/null || exit 15
      """, in: workspace.folder, mounting: true)
    #expect(result.code == 0, "\(result)")
    let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(errors.count == 4, "\(result)")
    for error in errors { #expect(error.contains("disk/"), "\(error)") }
  }

  /// Permissions bind everybody but root.
  @Test(.enabled(if: geteuid() != 0, "root may write anywhere; see aReadOnlyFolder"))
  func aFolderWithoutPermission() throws {
    let workspace = try Workspace()
    try workspace.write(Workspace.text, to: "text.txt")
    try workspace.write("", to: "closed/keep")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o555], ofItemAtPath: workspace.path("closed"))
    let result = try workspace.run(
      "data", "prepare", "text.txt", "--tokenizer", "bytes", "-o", "closed/data")
    #expect(result.code == 1 && result.errors.contains("error: "), "\(result)")
  }
}
