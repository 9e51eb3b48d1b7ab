// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show")
}
