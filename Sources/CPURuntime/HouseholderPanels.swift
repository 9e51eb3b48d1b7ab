// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Offsets into a lane's scratch: areas one after the other, each on its own cache line.
struct ScratchLayout {
  /// Bytes so far.
  private(set) var byteCount = 0

  /// Makes room for numbers of 4 bytes; returns where, in bytes.
  mutating func floats(_ count: Int) -> Int { bytes(count * 4) }

  /// Makes room for numbers of 8 bytes; returns where, in bytes.
  mutating func doubles(_ count: Int) -> Int { bytes(count * 8) }

  private mutating func bytes(_ count: Int) -> Int {
    defer { byteCount += (count + 63) / 64 * 64 }
    return byteCount
  }
}

/// Reflections in panels of `CK_PANEL` columns: where a lane keeps them, and the products that gather and apply them.
///
/// The product of a panel's reflections is I - V T V' (Schreiber and Van Loan, 1989). One matrix is one unit of work: the
/// products are those of one lane, always in the same order, and so the bits do not depend on the number of threads.
struct HouseholderPanels {
  /// Columns of a panel.
  static let width = Int(CK_PANEL)

  /// Products of one panel, over `rows` rows from its first.
  private struct Panel {
    let rows: Int
    /// Where V lies, in bytes into a lane's scratch, and T.
    let v: Int
    let factor: Int
    let gram: Product
    let formingLeft: Product
    let formingSums: Product
    let forming: Product
    let trailing: Trailing?
  }

  /// Products that apply a panel to the columns right of it.
  private struct Trailing {
    let left: Product
    let sums: Product
    let change: Product
  }

  let rows: Int
  let columns: Int
  let stride: Int
  private let panels: [Panel]
  private let gram: Int
  private let left: Int
  private let sums: Int

  /// Prepares reflections of a matrix `[rows, columns]`, rows >= columns, whose rows lie `stride` numbers apart.
  ///
  /// - Parameter leadingRows: rows kept before each panel's V, for a kernel that writes them with it.
  init(
    rows: Int, columns: Int, stride: Int, leadingRows: Int = 0, appliesToTheRight: Bool,
    cache: ProductCache, layout: inout ScratchLayout
  ) {
    let width = Self.width
    self.rows = rows
    self.columns = columns
    self.stride = stride
    gram = layout.floats(width * width)
    left = layout.floats(rows * width)
    sums = layout.floats(width * columns)
    var panels: [Panel] = []
    for first in Swift.stride(from: 0, to: columns, by: width) {
      let height = rows - first
      let across = columns - first
      func product(
        _ m: Int, _ n: Int, _ k: Int, _ aStride: Int, _ bStride: Int, _ cStride: Int,
        transposeA: Bool = false, transposeB: Bool = false, accumulate: Bool = false
      ) -> Product {
        cache.product(
          ProductKey(
            m: m, n: n, k: k, type: .float32, resultType: .float32, aStride: aStride,
            bStride: bStride, cStride: cStride, transposeA: transposeA, transposeB: transposeB,
            accumulate: accumulate))
      }
      func sums(_ n: Int) -> Product {
        product(width, n, height, width, stride, n, transposeA: true)
      }
      func change(_ n: Int) -> Product {
        product(height, n, width, width, n, stride, accumulate: true)
      }
      let v = layout.floats((height + leadingRows) * width) + leadingRows * width * 4
      let factor = layout.floats(width * width)
      let rest = across - width
      panels.append(
        Panel(
          rows: height, v: v, factor: factor,
          gram: product(width, width, height, width, width, width, transposeA: true),
          formingLeft: product(height, width, width, width, width, width),
          formingSums: sums(across), forming: change(across),
          trailing: appliesToTheRight && rest > 0
            ? Trailing(
              left: product(height, width, width, width, width, width, transposeB: true),
              sums: sums(rest), change: change(rest)) : nil))
    }
    self.panels = panels
  }

  /// Panels.
  var count: Int { panels.count }

  /// Rows of a panel.
  func rows(_ panel: Int) -> Int { panels[panel].rows }

  /// Where a lane keeps V of a panel, `[rows, width]`.
  func v(_ panel: Int, _ scratch: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    (scratch + panels[panel].v).assumingMemoryBound(to: Float.self)
  }

  /// T of a panel from its V and tau; kept with its sign turned.
  func gather(
    _ panel: Int, _ tau: UnsafePointer<Float>, _ lane: Int, _ scratch: UnsafeMutableRawPointer
  ) {
    let this = panels[panel]
    this.gram.run(lane, scratch + this.v, scratch + this.v, scratch + gram)
    ck_block_reflection(
      (scratch + gram).assumingMemoryBound(to: Float.self), tau,
      (scratch + this.factor).assumingMemoryBound(to: Float.self))
  }

  /// A = (I - V T' V') A for the columns right of a panel; `corner` is A at the panel's first row and column.
  func applyToTheRight(
    _ panel: Int, _ corner: UnsafeMutablePointer<Float>, _ lane: Int,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let this = panels[panel]
    guard let trailing = this.trailing else { return }
    let right = corner + Self.width
    trailing.left.run(lane, scratch + this.v, scratch + this.factor, scratch + left)
    trailing.sums.run(lane, scratch + this.v, right, scratch + sums)
    trailing.change.run(lane, scratch + left, scratch + sums, right)
  }

  /// Q = H_0 H_1 ... Q, where Q `[rows, columns]` is diagonal at first.
  ///
  /// From the last panel to the first, each touches only what those after it have filled, and its own columns.
  func form(
    _ q: UnsafeMutablePointer<Float>, _ lane: Int, _ scratch: UnsafeMutableRawPointer
  ) {
    var panel = panels.count
    while panel > 0 {
      panel -= 1
      let this = panels[panel]
      let corner = q + panel * Self.width * (stride + 1)
      this.formingLeft.run(lane, scratch + this.v, scratch + this.factor, scratch + left)
      this.formingSums.run(lane, scratch + this.v, corner, scratch + sums)
      this.forming.run(lane, scratch + left, scratch + sums, corner)
    }
  }
}
