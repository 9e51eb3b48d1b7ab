// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How fast the trials of a study run on a machine: the file `throughput.json`.
///
/// It serves estimates and the choice of how many trials run at a time; no result depends on it. On another machine it is measured
/// again.
public struct ThroughputRecord: Codable, Equatable, Sendable {
  /// The version of the file.
  public private(set) var format = 1
  /// Where it was measured.
  public var machine: MachineRecord
  /// Trials at a time.
  public var slots: Int
  /// Threads of each.
  public var threads: Int
  /// Whether somebody chose the layout instead of measuring.
  public var isChosen: Bool
  /// What was compared before choosing; empty when there was nothing to choose.
  public var layouts: [Layout]
  /// The speeds of arms, with all slots busy.
  public var arms: [ArmSpeed]
  /// What computes them beside the processor; nil: nothing.
  public var device: DeviceUse?

  /// Describes a machine's speeds.
  public init(
    machine: MachineRecord, slots: Int, threads: Int, isChosen: Bool = false,
    layouts: [Layout] = [], arms: [ArmSpeed] = [], device: DeviceUse? = nil
  ) {
    self.machine = machine
    self.slots = slots
    self.threads = threads
    self.isChosen = isChosen
    self.layouts = layouts
    self.arms = arms
    self.device = device
  }

  /// How trials use a device.
  public struct DeviceUse: Codable, Equatable, Sendable {
    /// What the configuration calls it, for example `xla:cuda`.
    public var name: String
    /// How many trials may share a program, as the configuration says.
    public var mostRuns: Int
    /// How many do: the number that was fastest; nil: nobody measured, and it is the most.
    public var runs: Int?

    /// Describes a device's use.
    public init(name: String, mostRuns: Int, runs: Int? = nil) {
      self.name = name
      self.mostRuns = mostRuns
      self.runs = runs
    }
  }

  /// A way to share the cores or a device, measured with the first arm.
  public struct Layout: Codable, Equatable, Sendable {
    /// Processes at a time.
    public var slots: Int
    /// Threads of each.
    public var threads: Int
    /// Trials that share the programs of each; nil: one.
    public var runs: Int?
    /// Steps a second of all of them together.
    public var stepsPerSecond: Double

    /// Describes a layout.
    public init(slots: Int, threads: Int, runs: Int? = nil, stepsPerSecond: Double) {
      self.slots = slots
      self.threads = threads
      self.runs = runs
      self.stepsPerSecond = stepsPerSecond
    }
  }

  /// How long the parts of an arm's trials take.
  public struct ArmSpeed: Codable, Equatable, Sendable {
    /// The variant's name.
    public var variant: String
    /// The arm's name.
    public var arm: String
    /// Seconds from the start of the process to its first evaluation.
    public var startSeconds: Double
    /// Seconds of an evaluation.
    public var evaluationSeconds: Double
    /// Steps a second of one trial.
    public var stepsPerSecond: Double
    /// Whether it was measured; otherwise it was computed from operations.
    public var isMeasured: Bool

    /// Describes an arm's speed.
    public init(
      variant: String, arm: String, startSeconds: Double, evaluationSeconds: Double,
      stepsPerSecond: Double, isMeasured: Bool
    ) {
      self.variant = variant
      self.arm = arm
      self.startSeconds = startSeconds
      self.evaluationSeconds = evaluationSeconds
      self.stepsPerSecond = stepsPerSecond
      self.isMeasured = isMeasured
    }

    /// Seconds of a trial.
    ///
    /// - Parameters:
    ///   - steps: its updates.
    ///   - evaluations: how often it measures the validation loss.
    /// - Returns: seconds from the start of its process to its end.
    public func seconds(steps: Int, evaluations: Int) -> Double {
      startSeconds + Double(evaluations) * evaluationSeconds + Double(steps) / stepsPerSecond
    }
  }

  /// The speed of an arm in a variant, if it is known.
  public func speed(variant: String, arm: String) -> ArmSpeed? {
    arms.first { $0.variant == variant && $0.arm == arm }
  }
}

extension StudyFolder {
  /// The stored speeds; nil when there are none, or they are not readable and have to be measured again.
  public func throughput() -> ThroughputRecord? {
    let path = file(FileName.throughput)
    guard let data = try? readFile(path) else { return nil }
    return try? jsonValue(ThroughputRecord.self, from: data, path: path)
  }

  /// Stores speeds.
  ///
  /// - Throws: ``RunRecordError`` when the disk is full or read-only.
  public func write(_ throughput: ThroughputRecord) throws(RunRecordError) {
    let path = file(FileName.throughput)
    try writeFileAtomically(try jsonData(throughput, path: path), to: path)
  }
}
