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

  /// The folder of the official header: ASSAY_PJRT_HEADERS, or beside the plugin; nil where there is none.
  static let header: String? = {
    let variable = ProcessInfo.processInfo.environment["ASSAY_PJRT_HEADERS"]
    let beside = path.map { ($0 as NSString).deletingLastPathComponent + "/include" }
    return [variable, beside].compactMap { $0 }.first {
      FileManager.default.fileExists(atPath: $0 + "/pjrt_c_api.h")
    }
  }()

  /// The CUDA plugin's file, where ASSAY_XLA_CUDA_PLUGIN names one.
  static let cudaPath = ProcessInfo.processInfo.environment["ASSAY_XLA_CUDA_PLUGIN"]
  /// True where the CUDA plugin can be opened and finds no device.
  static let isCUDAWithoutDevice =
    cudaPath != nil && !FileManager.default.fileExists(atPath: "/dev/nvidiactl")

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
