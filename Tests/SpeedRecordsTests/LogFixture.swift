// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SpeedRecords

/// Logs in the exact form of the speedrun's, small enough for a test, with everything in them that misleads a reader.
enum LogFixture {
  /// A source text that prints such lines, has them in a comment, and a separator that is one sign too short.
  static let source = """
    from torch import nn
    # step:1/2 val_loss:9.9 is what this prints
    print0(f"step:{step}/{steps} val_loss:{loss:.4f} train_time:{t:.0f}ms step_avg:{t/step:.2f}ms")
    print0("="*100)
    step:1/2
    \(String(repeating: "=", count: 99))

    """

  static let header = """
    Running Python 3.12.12 | packaged by conda-forge | (main, Oct 22 2025, 23:25:55) [GCC 14.3.0]
    Running PyTorch 2.10.0.dev20251210+cu126 compiled for CUDA 12.6
    Running Triton version 3.6.0
    Sun Dec 21 18:10:42 2025
    +-----------------------------------------------------------------------------------------+
    | NVIDIA-SMI 560.35.03              Driver Version: 560.35.03      CUDA Version: 12.6     |
    |-----------------------------------------+------------------------+----------------------+
    | GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
    |=========================================+========================+======================|
    |   0  NVIDIA H100 80GB HBM3          On  |   00000000:19:00.0 Off |                    0 |
    | N/A   39C    P0            127W /  700W |    5858MiB /  81559MiB |      0%      Default |
    +-----------------------------------------+------------------------+----------------------+
    |   1  NVIDIA H100 80GB HBM3          On  |   00000000:3B:00.0 Off |                    0 |
    | N/A   29C    P0            116W /  700W |    1520MiB /  81559MiB |      0%      Default |
    +-----------------------------------------+------------------------+----------------------+
    |  GPU   GI   CI        PID   Type   Process name                              GPU Memory |
    |=========================================================================================|
    |    0   N/A  N/A    772053      C   ...omamba/envs/speedrun/bin/python3.12       1510MiB |
    +-----------------------------------------------------------------------------------------+
    """.split(separator: "\n").map(String.init)

  static let peakMemory = "peak memory allocated: 29634 MiB reserved: 35856 MiB"

  /// A run of tracks 1 and 2: validation every five steps, with step 0, and a line after every step.
  ///
  /// Losses on the way depend on the last one, so that two runs have different curves.
  static func track1(
    _ path: String, loss: Double, milliseconds: Double = 12_000, steps: Int = 20,
    source: String = source
  ) -> SpeedrunLog {
    var events: [LogEvent] = []
    for step in 0...steps {
      let time = milliseconds * Double(step) / Double(steps)
      if step > 0 {
        events.append(.track1(step: step, plannedSteps: steps, milliseconds: time))
      }
      if step % 5 == 0 || step == steps {
        let left = Double(steps - step) / Double(steps)
        let atStep = loss + left * (7.55 + 30 * (loss - 3.27))
        events.append(
          .track1(step: step, plannedSteps: steps, validationLoss: atStep, milliseconds: time))
      }
    }
    return SpeedrunLog(
      path: path, source: source, header: header, events: events, peakMemory: peakMemory)
  }

  /// A run of track 3: validations only, no screen of nvidia-smi, no last line of memory.
  static func track3(_ path: String, loss: Double, steps: Int = 20) -> SpeedrunLog {
    var events: [LogEvent] = []
    for step in stride(from: 0, through: steps, by: 5) {
      let left = Double(steps - step) / Double(steps)
      let atStep = loss + left * (7.5 + 40 * (loss - 3.27))
      events.append(
        .track3(
          step: step, plannedSteps: steps, validationLoss: atStep, seconds: 0.151 * Double(step)))
    }
    return SpeedrunLog(
      path: path, source: source, header: ["Running PyTorch 2.10.0+cu128 compiled for CUDA 12.8"],
      events: events)
  }
}

/// A folder for one test, removed afterwards.
final class Folder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.path + "/assay-speed-records-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  @discardableResult
  func write(_ data: Data, to name: String) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Writes a text and gives its path.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  /// Writes runs of track 1 with these losses and gives their folder.
  func logs(
    _ name: String, _ losses: [Double], steps: Int = 20, source: String = LogFixture.source
  ) throws -> String {
    for (index, loss) in losses.enumerated() {
      let file = "\(name)/\(index).txt"
      let log = LogFixture.track1(
        file, loss: loss, milliseconds: 12_000 + Double(index), steps: steps, source: source)
      try write(log.data, to: file)
    }
    return path + "/" + name
  }
}

/// The message of the error that something throws; empty when it throws none.
func message(_ work: () throws -> Void) -> String {
  do {
    try work()
    return ""
  } catch { return "\(error)" }
}
