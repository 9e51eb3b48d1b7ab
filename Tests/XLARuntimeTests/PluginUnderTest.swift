// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import XLARuntime

/// The plugin that tests run on: the file that the environment variable ASSAY_XLA_PLUGIN names.
enum PluginUnderTest {
  /// The plugin's file; nil where tests have none.
  static let path = ProcessInfo.processInfo.environment["ASSAY_XLA_PLUGIN"]
  /// True where tests have a plugin.
  static var isPresent: Bool { path != nil }

  /// A client of the plugin.
  static func client(options: [String: ClientOption] = [:]) throws -> Client {
    let path = try #require(Self.path)
    return try Client(try Plugin(path: path), options: options)
  }
}

extension Client {
  /// Uploads elements of any plain type.
  func upload<Element: BitwiseCopyable>(
    _ elements: [Element], _ type: TensorType, to device: Device? = nil
  ) throws
    -> DeviceBuffer
  {
    try elements.withUnsafeBytes { bytes in try upload(bytes, type, to: device ?? devices[0]) }
  }
}

extension DeviceBuffer {
  /// Downloads elements of any plain type.
  func elements<Element: BitwiseCopyable>(as type: Element.Type) throws -> [Element] {
    try download().withUnsafeBytes { Array($0.bindMemory(to: type)) }
  }
}
