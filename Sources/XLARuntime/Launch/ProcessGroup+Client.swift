// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension ProcessGroup {
  /// What the plugin is told about the processes.
  ///
  /// Where a machine has several of them, each takes the device whose number is its own there, unless `CUDA_VISIBLE_DEVICES` leaves it one
  /// anyway; a process that has its machine to itself takes all devices.
  func options(
    for plugin: Plugin, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String: ClientOption] {
    var options: [String: ClientOption] = [
      "node_id": .integer(index), "num_nodes": .integer(count),
    ]
    if plugin.isCUDA, let device = ownDevice(environment) {
      options["visible_devices"] = .integers([device])
    }
    return options
  }

  /// The number of the one device that this process takes; nil: all that it sees.
  func ownDevice(_ environment: [String: String]) -> Int? {
    guard let localIndex, localCount != 1 else { return nil }
    if let visible = environment["CUDA_VISIBLE_DEVICES"], !visible.isEmpty,
      visible.split(separator: ",").count == 1
    {
      return nil
    }
    return localIndex
  }
}

/// What the processes of a run share while a client is formed and afterwards: process 0 serves it.
final class ProcessExchange {
  /// The values.
  let keyValues: any KeyValueStore
  /// The processes.
  let group: ProcessGroup
  private let server: KeyValueServer?
  /// How long a process waits for what process 0 says: evaluations and checkpoints may lie between.
  private static let patienceMilliseconds = 15 * 60 * 1000

  /// Opens the port in process 0, and names it in the others, which connect when they have something to say.
  ///
  /// - Throws: A setting error when the port is taken, with who chose it.
  init(_ group: ProcessGroup, patienceSeconds: Double = 300) throws(XLAError) {
    self.group = group
    if group.isFirst {
      let server: KeyValueServer
      do throws(XLAError) {
        server = try KeyValueServer(port: group.port)
      } catch {
        throw XLAError(
          error.code,
          "\(error.message). Process 0 is reached there by the others (from \(group.addressSource)): "
            + (group.launcher == .slurm
              ? "start another step, or set ASSAY_PROCESS, ASSAY_PROCESSES and ASSAY_COORDINATOR"
              : "name another port, the same for all processes"))
      }
      self.server = server
      keyValues = server.store
    } else {
      server = nil
      keyValues = RemoteKeyValueStore(
        host: group.host, port: group.port, source: group.addressSource,
        patienceSeconds: patienceSeconds)
    }
  }

  deinit { server?.close() }

  /// What process 0 says.
  func agreed(_ question: String, on number: Int) throws(XLAError) -> Int {
    let key = "assay/" + question
    if group.isFirst {
      try keyValues.set(key, to: Array(String(number).utf8))
      return number
    }
    guard let bytes = try keyValues.value(of: key, timeoutMilliseconds: Self.patienceMilliseconds),
      let answer = Int(String(decoding: bytes, as: UTF8.self))
    else {
      throw XLAError(
        .device,
        "process 0 of \(group.count) did not say '\(question)' within \(Self.patienceMilliseconds / 60_000) minutes: look whether "
          + "it still runs, and start all processes again with the same command")
    }
    return answer
  }
}

extension Client {
  /// Finds a device's plugin, opens it and starts a client, of this process alone or of several.
  ///
  /// - Parameters:
  ///   - device: `xla:cpu`, `xla:cuda` or `xla:FILE.so`.
  ///   - devices: that all processes together will use; of processors a plugin makes as many as it is asked for.
  ///   - processes: that form the client; nil: this one.
  ///   - environment: The user's environment, which may name the plugin.
  /// - Throws: What finding and opening the plugin and starting the client throws; a setting error when the plugin is of another
  ///   platform than the device.
  /// - Returns: The client, and what has to live as long as it.
  static func start(
    device: String, devices: Int = 1, processes: ProcessGroup? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(XLAError) -> (client: Client, exchange: ProcessExchange?) {
    let path = try PluginChoice.path(for: device, environment: environment)
    let plugin = try Plugin(path: path)
    let options = try AllocatorOptions.options(for: plugin, environment: environment)
      .merging(processes?.options(for: plugin, environment: environment) ?? [:]) { _, new in new }
    var exchange: ProcessExchange?
    if let processes { exchange = try ProcessExchange(processes) }
    let own = max(1, devices / (processes?.count ?? 1))
    let counted = options.merging(["cpu_device_count": .integer(own)]) { _, new in new }
    let keyValues = exchange?.keyValues
    // Other plugins refuse that option, and which kind a file's plugin is shows only when it has started.
    var client: Client
    if device == "xla:cpu", let made = try? Client(plugin, options: counted, keyValues: keyValues) {
      client = made
    } else {
      client = try Client(plugin, options: options, keyValues: keyValues)
      if client.platform == "cpu", client.devices.count < own, processes == nil {
        client = try Client(plugin, options: counted)
      }
    }
    try PluginChoice.check(client.platform, of: path, for: device, environment: environment)
    return (client, exchange)
  }
}
