// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Something that a plugin, its device or a program for it could not do.
public struct XLAError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it was.
  public enum Code: String, Sendable {
    /// No plugin was found, or it could not be opened, or it is too old.
    case plugin
    /// No device, too few devices, or a device that was lost.
    case device
    /// The device's memory does not suffice.
    case memory
    /// The plugin refused a program.
    case compilation
    /// A program failed while it ran.
    case execution
    /// A setting that makes no sense for this plugin.
    case setting
  }

  /// The kind of failure.
  public let code: Code
  /// What happened, the plugin's own words where it had some, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
