// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a name of a device leads to on this machine.
public struct PluginListing: Codable, Equatable, Sendable {
  /// As in `machine.device`.
  public let device: String
  /// The plugin's file; nil where there is none.
  public private(set) var path: String?
  /// The version of the PJRT interface; nil where the plugin could not be opened.
  public private(set) var interface: String?
  /// The plugin's platform and version, in its own words.
  public private(set) var platform: String?
  /// The devices of this process, each in the plugin's words.
  public private(set) var devices: [String] = []
  /// Why there is no plugin, or no device of it; nil where there is one.
  public private(set) var problem: String?

  /// Looks a device up, opens its plugin and starts its devices; whatever fails is part of the answer.
  ///
  /// - Parameter device: `xla:cpu`, `xla:cuda` or `xla:FILE.so`.
  public init(_ device: String) {
    self.device = device
    do throws(XLAError) {
      let path = try PluginChoice.path(for: device)
      self.path = path
      let plugin = try Plugin(path: path)
      interface = "\(plugin.interfaceVersion.major).\(plugin.interfaceVersion.minor)"
      let client = try Client(plugin, options: AllocatorOptions.options(for: plugin))
      try PluginChoice.check(client.platform, of: path, for: device)
      platform =
        client.platform
        + (client.platformVersion == client.platform ? "" : ", \(client.platformVersion)")
      devices = client.devices.map(\.kind)
    } catch {
      problem = error.message
    }
  }
}
