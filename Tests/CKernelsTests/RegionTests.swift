// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension KernelTests {
  @Suite struct Regions {
    /// Sizes around vectors, chunks of vectors, tiles and groups of rows in a tile.
    static let shapes: [(Int, Int)] = [
      (1, 1), (1, 15), (1, 16), (1, 17), (1, 511), (1, 512), (1, 513), (1, 1037), (3, 1), (600, 1),
      (5, 7), (70, 16), (9, 64), (130, 5), (2, 100), (3, 256), (3, 257), (67, 8), (2, 640),
      (66, 33),
    ]

    @Test(
      "random programs give exact results for every shape, type, access and output",
      arguments: 0..<8)
    func randomPrograms(seed: Int) {
      var random = TestRandom(seed + 100)
      for (rows, columns) in Self.shapes {
        let program = RegionProgram(
          rows: rows, columns: columns, stepCount: Int.random(in: 1...14, using: &random),
          registers: 6, random: &random)
        let values = program.sourceValues()
        for set in InstructionSet.available {
          let region = program.makeRegion(units: 1)
          set.run { region.run() }
          let mistake = program.firstMistake(region, values, calls: [region.wholeCall])
          #expect(mistake == nil, "\(set), \(rows) x \(columns), seed \(seed): \(mistake ?? "")")
        }
      }
    }

    @Test("rows and units may be split over calls", arguments: 0..<4)
    func splitCalls(seed: Int) {
      var random = TestRandom(seed + 200)
      for (rows, columns) in [(13, 33), (150, 5), (7, 513), (200, 64)] {
        var program = RegionProgram(
          rows: rows, columns: columns, stepCount: 6, registers: 6, random: &random)
        program.outputs.append(
          (CK_SUM_ROWS, CK_F32, fromRegister(Int(program.steps[5].destination)), nil))
        program.outputs.append(
          (CK_STORE, CK_F32, fromRegister(Int(program.steps[5].destination)), nil))
        let values = program.sourceValues()
        let cut = Int.random(in: 1..<rows, using: &random)
        let calls = [
          RegionCall(rows: 0..<cut, columns: 0..<columns, unit: 1),
          RegionCall(rows: cut..<rows, columns: 0..<columns, unit: 0),
          RegionCall(rows: rows..<rows, columns: 0..<columns, unit: 2),
        ]
        for set in InstructionSet.available {
          let region = program.makeRegion(units: 3)
          set.run { region.run(calls) }
          let mistake = program.firstMistake(region, values, calls: calls)
          #expect(mistake == nil, "\(set), \(rows) x \(columns), seed \(seed): \(mistake ?? "")")
        }
      }
    }

    @Test("columns may be split over calls when nothing is reduced over them")
    func splitColumns() {
      var random = TestRandom(300)
      let count = 2050
      var program = RegionProgram(
        rows: 1, columns: count, stepCount: 9, registers: 5, random: &random)
      let last = fromRegister(Int(program.steps[8].destination))
      program.outputs = [(CK_STORE, CK_F32, last, nil), (CK_SUM_ALL, CK_F32, last, nil)]
      let values = program.sourceValues()
      let calls = [0..<1024, 1024..<1031, 1031..<count].enumerated().map {
        RegionCall(rows: 0..<1, columns: $0.element, unit: $0.offset)
      }
      for set in InstructionSet.available {
        let region = program.makeRegion(units: 3)
        set.run { region.run(calls) }
        let mistake = program.firstMistake(region, values, calls: calls)
        #expect(mistake == nil, "\(set): \(mistake ?? "")")
      }
    }

    @Test("row reductions have the same bits however the rows are split")
    func splitBits() {
      var random = TestRandom(301)
      for columns in [5, 64, 100, 700] {
        let rows = 23
        let input = Elements(random.floats(rows * columns))
        var bits: [[Float]] = []
        for cuts in [[23], [1, 22], [4, 9, 10]] {
          let sums = Elements(count: rows), largest = Elements(count: rows)
          let region = Region(
            rows: rows, columns: columns, inputs: [(input, CK_FULL)],
            steps: [step(CK_SQUARE, 0, fromInput(0))],
            outputs: [
              (sums, CK_SUM_COLUMNS, fromRegister(0)), (largest, CK_MAX_COLUMNS, fromInput(0)),
            ])
          var start = 0
          region.run(
            cuts.map { cut in
              defer { start += cut }
              return RegionCall(rows: start..<start + cut, columns: 0..<columns)
            })
          bits.append(sums.floats + largest.floats)
        }
        #expect(firstDifference(bits[0], bits[1]) == nil)
        #expect(firstDifference(bits[0], bits[2]) == nil)
      }
    }

    @Test(
      "a program longer than the interpreter plans at a time is exact",
      arguments: [127, 128, 129, 300])
    func longPrograms(stepCount: Int) {
      for seed in 0..<3 {
        var random = TestRandom(400 + seed)
        for (rows, columns) in [(1, 700), (40, 9), (3, 600)] {
          let program = RegionProgram(
            rows: rows, columns: columns, stepCount: stepCount, registers: 30, random: &random)
          let values = program.sourceValues()
          for set in InstructionSet.available {
            let region = program.makeRegion(units: 1)
            set.run { region.run() }
            let mistake = program.firstMistake(region, values, calls: [region.wholeCall])
            #expect(mistake == nil, "\(set), \(stepCount) steps: \(mistake ?? "")")
          }
        }
      }
    }

    @Test("special values go through exact steps as in scalar arithmetic")
    func specialValues() {
      let special = Conversions.awkwardValues
      let a = special.flatMap { x in special.map { _ in x } }
      let b = special.flatMap { _ in special }
      for opcode in exactUnary + exactBinary + exactTernary {
        let want = zip(a, b).map { exactResult(opcode, $0, $1, 1) }
        for set in InstructionSet.available {
          let output = Elements(count: a.count)
          let region = Region(
            rows: 1, columns: a.count,
            inputs: [(Elements(a), CK_FULL), (Elements(b), CK_FULL), (Elements([1]), CK_SCALAR)],
            steps: [step(opcode, 3, fromInput(0), fromInput(1), fromInput(2))],
            outputs: [(output, CK_STORE, fromRegister(3))])
          set.run { region.run() }
          let difference = firstDifference(output.floats, want)
          #expect(difference == nil, "\(set), opcode \(opcode.rawValue): \(difference ?? "")")
        }
      }
    }

    @Test(
      "an AdamW update works in place and agrees with double arithmetic", arguments: [1, 512, 1003])
    func adamW(count: Int) {
      var random = TestRandom(500)
      let w = random.floats(count), g = random.floats(count)
      let m = random.floats(count), v = random.floats(count, in: 0...1)
      let scalars: [Float] = [0.9, 0.1, 0.95, 0.05, 0.999, 0.01, 1.25, 1e-8]
      let steps = [
        step(CK_MULTIPLY, 0, fromInput(2), fromInput(4)),
        step(CK_MULTIPLY_ADD, 0, fromInput(1), fromInput(5), fromRegister(0)),
        step(CK_SQUARE, 1, fromInput(1)),
        step(CK_MULTIPLY, 1, fromRegister(1), fromInput(7)),
        step(CK_MULTIPLY_ADD, 1, fromInput(3), fromInput(6), fromRegister(1)),
        step(CK_MULTIPLY, 2, fromRegister(1), fromInput(10)),
        step(CK_SQUARE_ROOT, 2, fromRegister(2)),
        step(CK_ADD, 2, fromRegister(2), fromInput(11)),
        step(CK_DIVIDE, 3, fromRegister(0), fromRegister(2)),
        step(CK_MULTIPLY, 3, fromRegister(3), fromInput(9)),
        step(CK_MULTIPLY, 4, fromInput(0), fromInput(8)),
        step(CK_SUBTRACT, 4, fromRegister(4), fromRegister(3)),
      ]
      let s = scalars.map(Double.init)
      var want: (w: [Double], m: [Double], v: [Double]) = ([], [], [])
      for i in 0..<count {
        let momentum = s[0] * Double(m[i]) + s[1] * Double(g[i])
        let square = s[2] * Double(v[i]) + s[3] * Double(g[i]) * Double(g[i])
        want.m.append(momentum)
        want.v.append(square)
        want.w.append(
          s[4] * Double(w[i]) - s[5] * momentum / ((s[6] * square).squareRoot() + s[7]))
      }
      for set in InstructionSet.available {
        let memory = [w, g, m, v].map { Elements($0) }
        let region = Region(
          rows: 1, columns: count,
          inputs: memory.map { ($0, CK_FULL) } + scalars.map { (Elements([$0]), CK_SCALAR) },
          steps: steps,
          outputs: [
            (memory[0], CK_STORE, fromRegister(4)), (memory[2], CK_STORE, fromRegister(0)),
            (memory[3], CK_STORE, fromRegister(1)),
          ])
        set.run { region.run() }
        #expect(memory[1].floats == g)
        for (index, reference) in [(0, want.w), (2, want.m), (3, want.v)] {
          let agreement = Agreement(memory[index].floats, reference, absolute: 4e-7, relative: 4e-7)
          #expect(agreement.holds, "\(set), tensor \(index): \(agreement)")
        }
      }
    }

    @Test("integers and heavy steps between light ones")
    func mixedSteps() {
      let count = 777
      let tokens = Elements(count: count)
      let integers = tokens.data.assumingMemoryBound(to: Int32.self)
      for index in 0..<count { integers[index] = Int32(index - 300) }
      var random = TestRandom(600)
      let x = random.floats(count)
      let want = x.enumerated().map { index, value in
        max(0, Double(index - 300)) + 1 / (1 + exp(-Double(value) * 0.5))
      }
      for set in InstructionSet.available {
        let output = Elements(count: count)
        let inputs = [Elements(x), Elements([0.5])]
        let steps = [
          step(CK_MULTIPLY, 0, fromInput(0), fromInput(1)),
          step(CK_SIGMOID, 0, fromRegister(0)),
          step(CK_RELU, 1, fromInput(2)),
          step(CK_ADD, 1, fromRegister(1), fromRegister(0)),
        ]
        var descriptions = [
          ck_input(
            data: inputs[0].data, type: UInt8(CK_F32.rawValue), access: UInt8(CK_FULL.rawValue)),
          ck_input(
            data: inputs[1].data, type: UInt8(CK_F32.rawValue), access: UInt8(CK_SCALAR.rawValue)),
          ck_input(
            data: tokens.data, type: UInt8(CK_I32.rawValue), access: UInt8(CK_FULL.rawValue)),
        ]
        var store = ck_output(
          data: output.data, type: UInt8(CK_F32.rawValue), kind: UInt8(CK_STORE.rawValue),
          source: fromRegister(1))
        let scratch = UnsafeMutableRawPointer.allocate(
          byteCount: ck_region_scratch_bytes(), alignment: 64)
        defer { scratch.deallocate() }
        steps.withUnsafeBufferPointer { steps in
          descriptions.withUnsafeMutableBufferPointer { descriptions in
            withUnsafeMutablePointer(to: &store) { store in
              var region = ck_region(
                input_count: 3, step_count: 4, output_count: 1, register_count: 2,
                inputs: descriptions.baseAddress, steps: steps.baseAddress, outputs: store, rows: 1,
                columns: count)
              set.run { ck_region_run(&region, 0, 1, 0, count, 0, scratch) }
            }
          }
        }
        let agreement = Agreement(output.floats, want, relative: 3e-7)
        #expect(agreement.holds, "\(set): \(agreement)")
      }
    }

    @Test("partial results are added in double and maxima keep NaN")
    func partials() {
      var random = TestRandom(700)
      for (units, columns) in [(0, 3), (1, 1), (5, 17), (40, 64)] {
        let values = random.floats(units * columns)
        let start = random.floats(columns)
        for set in InstructionSet.available {
          let partial = Elements(values), sums = Elements(start), largest = Elements(count: columns)
          for accumulate in [false, true] {
            let before = sums.doubles
            set.run {
              ck_sum_partials(
                partial.floatPointer, units, columns, sums.floatPointer, accumulate ? 1 : 0)
              ck_max_partials(partial.floatPointer, units, columns, largest.floatPointer)
            }
            let want = (0..<columns).map { c in
              (0..<units).reduce(accumulate ? before[c] : 0) {
                $0 + Double(values[$1 * columns + c])
              }
            }
            let agreement = Agreement(sums.floats, want, relative: 0x1p-24)
            #expect(agreement.holds, "\(set): \(agreement)")
          }
          let best = (0..<columns).map { c in
            (0..<units).map { values[$0 * columns + c] }.max() ?? -.infinity
          }
          #expect(largest.floats == best)
        }
      }
      let withNaN = Elements([1, .nan, 3]), output = Elements(count: 1)
      ck_max_partials(withNaN.floatPointer, 3, 1, output.floatPointer)
      #expect(output.floats[0].isNaN)
    }
  }
}
