// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The data set of a configuration.
func openSource(_ configuration: TrainingConfiguration) throws -> any BatchSource {
  throw TrainingError(.data, "pending")
}
