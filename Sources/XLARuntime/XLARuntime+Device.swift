// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension XLARuntime {
  /// The plugin's file.
  public var pluginPath: String { store.client.plugin.path }

  /// The most bytes that one of this process's devices held at once since it was started, as the device counts them; nil where its
  /// plugin does not count, as that for processors.
  public var countedPeakBytes: Int? { store.client.devices.compactMap { $0.memory?.peak }.max() }
}
