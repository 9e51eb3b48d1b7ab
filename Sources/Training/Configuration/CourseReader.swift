// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Schedules

/// Reads one course: that of the learning rate, in shares of its peak, or that of another scalar, in its own unit.
struct CourseReader {
  /// Where the keys stand.
  let section: ConfigurationSection
  /// The run.
  let context: ScheduleContext
  /// The scalar; nil: the learning rate.
  let scalar: SchedulableScalar?
  /// The group it is for; nil: all.
  var group: String?
  /// The rows of `stage`, where the kind may be `stages`.
  let rows: [StageRow]

  private typealias Kind = ScheduleSettings.Kind

  // MARK: - Which kind takes which key

  private static let decaying: [Kind] = [.linear, .cosine, .polynomial, .rex]
  private static let overlaid: [Kind] = [.inverseSquareRoot, .stages]
  private static let cooled: [Kind] = [.wsd, .oneCycle] + overlaid
  private static let begun: [Kind] = Kind.allCases.filter { $0 != .stages }

  /// Whether a key is given for a kind that takes it; given for another kind it is a problem.
  private func isGiven(_ key: String, _ kind: Kind, takenBy kinds: [Kind]) -> Bool {
    guard section.isGiven(key) else { return false }
    if kinds.contains(kind) { return true }
    let others = kinds.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    section.contradiction(
      key, "kind",
      message:
        "a schedule of kind \(kind.rawValue) takes no \(key); remove it or choose kind = \(others)")
    return false
  }

  // MARK: - Reading

  /// The course; any other one when something is wrong with it, which has then been reported.
  func read(_ kind: ScheduleSettings.Kind) -> Schedule {
    let warmUpSteps = warmUpSteps(kind)
    let main = mainValue(kind)
    let cooldownSteps = cooldownSteps(kind, after: warmUpSteps)
    let stop = stop(kind, cooldownSteps)
    let start = startValue(kind, warmUpSteps)
    let end = endValue(kind, hasCooldown: cooldownSteps != nil)
    let shape = cooldownShape(kind, hasCooldown: cooldownSteps != nil)
    let power = power(kind)
    let timescale = timescale(kind, warmUpSteps)
    guard fits(kind, warmUpSteps, cooldownSteps, stop) else { return Self.placeholder }

    let steps = context.steps
    let warmUp = ScheduleWarmUp(steps: warmUpSteps, from: start)
    let cooldown = cooldownSteps.map {
      ScheduleCooldown(start: stop - $0, stop: stop, to: end, shape: shape)
    }
    // Where it is a stage it has been read as a whole number.
    let cooldownStage = Int(cooldownSteps ?? 1)
    do throws(ScheduleError) {
      switch kind {
      case .constant:
        return try .constant(main, warmUp: warmUp, steps: steps)
      case .linear, .cosine, .polynomial, .rex:
        let shape: ScheduleShape =
          switch kind {
          case .linear: .linear
          case .polynomial: .polynomial(power: power)
          case .rex: .rex
          default: .cosine
          }
        return try .decay(shape, from: main, to: end, warmUp: warmUp, steps: steps)
      case .wsd:
        return try .warmUpStableDecay(
          main, to: end, warmUp: warmUp, cooldownSteps: cooldownStage, shape: shape,
          steps: steps)
      case .inverseSquareRoot:
        return try .inverseSquareRoot(
          from: main, timescale: Double(timescale), warmUp: warmUp, cooldown: cooldown,
          steps: steps)
      case .oneCycle:
        return try .oneCycle(
          from: start ?? main / 10, peak: main, to: end, riseSteps: warmUpSteps,
          annihilationSteps: cooldownStage, steps: steps)
      case .stages:
        let stages = stages()
        return stages.isEmpty ? Self.placeholder : try Schedule(stages: stages, cooldown: cooldown)
      }
    } catch {
      section.contradiction("kind", message: error.message)
      return Self.placeholder
    }
  }

  /// A schedule that stands where none can be made.
  static let placeholder: Schedule = {
    let stage = ScheduleStage(name: "constant", steps: nil, curve: .constant(1))
    guard let schedule = try? Schedule(stages: [stage]) else {
      preconditionFailure("one endless stage is a schedule")
    }
    return schedule
  }()

  // MARK: - Lengths

  private func warmUpSteps(_ kind: Kind) -> Int {
    let isLearningRate = scalar == nil
    if isGiven("warmup_fraction", kind, takenBy: Self.begun) {
      if section.isGiven("warmup_steps") {
        section.contradiction(
          "warmup_fraction", "warmup_steps", message: "the warm-up is given twice; remove one")
      }
      let share = section.number(
        "warmup_fraction", default: 0, in: .within(0...1),
        doc: "length of the warm-up as a part of the run")
      return context.steps(ofShare: share)
    }
    guard kind != .stages else {
      _ = isGiven("warmup_steps", kind, takenBy: Self.begun)
      return 0
    }
    let fallback =
      kind == .oneCycle
      ? max(1, (context.steps - defaultCooldown(kind)) / 2)
      : isLearningRate ? context.steps / 20 : 0
    return section.integer(
      "warmup_steps", default: fallback, in: (kind == .oneCycle ? 1 : 0)...1_000_000_000,
      doc: isLearningRate
        ? "linear, from peak / W at the first step; a twentieth of the steps"
        : "linear, from warmup_from, or from / W at the first step; 0")
  }

  private func defaultCooldown(_ kind: Kind) -> Int {
    max(1, context.steps / (kind == .wsd ? 5 : 10))
  }

  /// The length of the cooldown; laid over a course it need not be whole.
  private func cooldownSteps(_ kind: Kind, after warmUpSteps: Int) -> Double? {
    if isGiven("cooldown_fraction", kind, takenBy: Self.cooled) {
      if section.isGiven("cooldown_steps") {
        section.contradiction(
          "cooldown_fraction", "cooldown_steps", message: "the cooldown is given twice; remove one")
      }
      let share = section.number(
        "cooldown_fraction", default: 0.1, in: .above(0, through: 1),
        doc: "length of the cooldown as a part of the run")
      return Double(max(1, context.steps(ofShare: share)))
    }
    let isGiven = isGiven("cooldown_steps", kind, takenBy: Self.cooled)
    if kind == .wsd || kind == .oneCycle {
      // Haegele et al. find a fifth of the run as good as a whole cosine.
      return Double(
        section.integer(
          "cooldown_steps", default: defaultCooldown(kind), in: 1...1_000_000_000,
          doc: kind == .wsd
            ? "length of the cooldown; a fifth of the steps"
            : "length of the last part, after the cycle; a tenth of the steps"))
    }
    guard isGiven else { return nil }
    let doc = "length of a cooldown laid over the end; none"
    guard section.isGivenWhole("cooldown_steps") else {
      return section.number(
        "cooldown_steps", default: 1, in: .above(0, through: 1_000_000_000), doc: doc)
    }
    return Double(
      section.integer("cooldown_steps", default: 1, in: 1...1_000_000_000, doc: doc))
  }

  /// The step at which the cooldown ends, not necessarily whole.
  private func stop(_ kind: Kind, _ cooldownSteps: Double?) -> Double {
    let end = Double(context.steps)
    guard isGiven("cooldown_until", kind, takenBy: Self.overlaid) else { return end }
    let position = section.number(
      "cooldown_until", default: end,
      doc: "step at which the cooldown ends, from the end of the run if negative; the end")
    let isBetweenSteps = position > 1 && position.rounded() != position
    let found = isBetweenSteps ? position : context.step(at: position).map(Double.init)
    guard let step = found, step >= 1, step <= end else {
      section.refuse(
        "cooldown_until",
        message:
          "it is no step of the run; give a number of steps up to \(context.steps), a whole negative one "
          + "counted from the end, or a part of the run between 0 and 1")
      return end
    }
    if cooldownSteps == nil {
      section.contradiction(
        "cooldown_until", message: "there is no cooldown; give its cooldown_steps or remove the key"
      )
    }
    return step
  }

  /// Whether the lengths fit the run; otherwise that has been reported.
  private func fits(_ kind: Kind, _ warmUp: Int, _ cooldown: Double?, _ stop: Double) -> Bool {
    let steps = context.steps
    func refuse(_ names: [String], _ message: String) -> Bool {
      section.reader.contradiction(
        names.map { section.path + "." + $0 } + ["training.steps"], message: message)
      return false
    }
    let warmUpKey = section.isGiven("warmup_fraction") ? "warmup_fraction" : "warmup_steps"
    let cooldownKey = section.isGiven("cooldown_fraction") ? "cooldown_fraction" : "cooldown_steps"
    if warmUp > steps {
      return refuse(
        [warmUpKey], "the warm-up is longer than the run; use at most \(steps) warm-up steps")
    }
    guard let cooldown else { return true }
    if kind == .wsd, warmUp + Int(cooldown) > steps {
      return refuse(
        [warmUpKey, cooldownKey],
        "warm-up and cooldown are longer than the run; use at most \(steps) steps for both")
    }
    if kind == .oneCycle, warmUp + Int(cooldown) >= steps {
      return refuse(
        [warmUpKey, cooldownKey],
        "the way up and the last part leave no step for the way down; shorten one of them")
    }
    if cooldown > stop {
      return refuse(
        [cooldownKey],
        "the cooldown would begin before the run; use at most \(Int(exactly: stop).map(String.init) ?? "\(stop)") steps for it"
      )
    }
    return true
  }

  // MARK: - Values

  private func mainValue(_ kind: Kind) -> Double {
    guard let scalar else { return 1 }
    guard kind != .stages else {
      _ = isGiven("from", kind, takenBy: Self.begun)
      return 1
    }
    let doc = "value after the warm-up; that of the scalar's own key"
    let value: Double
    if let configured = scalar.configured(for: group) {
      value = section.number("from", default: configured, in: scalar.range, doc: doc)
    } else {
      value = section.number("from", in: scalar.range, doc: doc)
    }
    return checked("from", value)
  }

  private func startValue(_ kind: Kind, _ warmUpSteps: Int) -> Double? {
    let key = scalar == nil ? "initial_fraction" : "warmup_from"
    let isGiven = isGiven(key, kind, takenBy: Self.begun)
    if kind == .oneCycle, scalar == nil {
      return section.number(
        key, default: 0.1, in: .within(0...1),
        doc: "share of the peak at the first step and after the way down")
    }
    guard isGiven else { return nil }
    if warmUpSteps == 0 {
      section.contradiction(
        key, "warmup_steps", message: "there is no warm-up; give its length or remove the key")
    }
    guard let scalar else {
      return section.number(
        key, default: 0, in: .within(0...1), doc: "share of the peak at the first step; 1 / W")
    }
    let value = section.number(
      key, in: scalar.range, doc: "value at the first step; from / W")
    return checked(key, value)
  }

  private func endValue(_ kind: Kind, hasCooldown: Bool) -> Double {
    let key = scalar == nil ? "final_fraction" : "to"
    let kinds = Self.decaying + Self.cooled
    let isGiven = isGiven(key, kind, takenBy: kinds)
    guard kinds.contains(kind) else { return 1 }
    guard hasCooldown else {
      if isGiven, Self.overlaid.contains(kind) {
        section.contradiction(
          key,
          message:
            "there is no cooldown that ends with it; give its cooldown_steps or remove the key")
      }
      if Self.overlaid.contains(kind) { return 0 }
      return readEnd(key, kind)
    }
    return readEnd(key, kind)
  }

  private func readEnd(_ key: String, _ kind: Kind) -> Double {
    guard let scalar else {
      let fallback: Double =
        switch kind {
        case .cosine: 0.1
        case .oneCycle: 0.001
        default: 0
        }
      return section.number(
        key, default: fallback, in: .within(0...1), doc: "share of the peak at the end")
    }
    let value = section.number(key, in: scalar.range, doc: "value at the end")
    return checked(key, value)
  }

  /// A value, reported when the scalar cannot have it.
  private func checked(_ key: String, _ value: Double) -> Double {
    if section.isGiven(key), let refusal = scalar?.refusal(of: value) {
      section.refuse(key, message: refusal)
    }
    return value
  }

  // MARK: - Shapes

  private func cooldownShape(_ kind: Kind, hasCooldown: Bool) -> ScheduleShape {
    let kinds: [Kind] = [.wsd] + Self.overlaid
    let isGiven = isGiven("cooldown", kind, takenBy: kinds)
    guard kinds.contains(kind), hasCooldown || isGiven else { return .linear }
    if !hasCooldown {
      section.contradiction(
        "cooldown", message: "the cooldown has no length; give its cooldown_steps or remove the key"
      )
    }
    let shape = section.choice(
      "cooldown", default: kind == .wsd ? ScheduleSettings.Cooldown.sqrt : .linear,
      doc: "the way of the cooldown")
    return shape.shape
  }

  private func power(_ kind: Kind) -> Double {
    _ = isGiven("power", kind, takenBy: [.polynomial])
    guard kind == .polynomial else { return 1 }
    return section.number(
      "power", default: 2, in: .above(0, through: 100),
      doc: "of what is left of the way: above 1 steep first, below 1 steep at the end")
  }

  private func timescale(_ kind: Kind, _ warmUpSteps: Int) -> Int {
    _ = isGiven("timescale_steps", kind, takenBy: [.inverseSquareRoot])
    guard kind == .inverseSquareRoot else { return 1 }
    guard warmUpSteps > 0 || section.isGiven("timescale_steps") else {
      section.contradiction(
        "warmup_steps", "timescale_steps",
        message: "without a warm-up nothing says how fast the value falls; give timescale_steps")
      return 1
    }
    return section.integer(
      "timescale_steps", default: max(1, warmUpSteps), in: 1...1_000_000_000,
      doc: "steps after which 1 / sqrt(2) is left; as many as the warm-up has")
  }

  // MARK: - Stages

  /// The stages of kind `stages`; none when something is wrong, which has then been reported.
  private func stages() -> [ScheduleStage] {
    guard !rows.isEmpty else {
      section.contradiction(
        "kind",
        message:
          "there are no stages; write [[\(section.path).stage]] tables or choose another kind")
      return []
    }
    var stages: [ScheduleStage] = []
    var value = scalar == nil ? 1 : scalar?.configured(for: group)
    for row in rows {
      guard let curve = StageCurveReader(row: row, scalar: scalar).read(from: value) else {
        section.ignore("stage")
        return []
      }
      let isLast = stages.count == rows.count - 1
      value = curve.factor(at: row.length, of: row.length)
      if isLast, case .constant = curve {
        stages.append(ScheduleStage(name: row.name, steps: nil, curve: curve))
      } else {
        stages.append(ScheduleStage(name: row.name, steps: row.length, curve: curve))
      }
    }
    return stages
  }
}
