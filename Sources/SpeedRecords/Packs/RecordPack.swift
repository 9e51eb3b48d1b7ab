// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public struct RecordPack {
  static func isPack(_ path: String) -> Bool { false }
  init(reading path: String) throws(SpeedRecordError) {}
  func sets(at step: Int?) throws(SpeedRecordError) -> [RunSet] { [] }
}
