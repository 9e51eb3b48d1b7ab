#!/usr/bin/env bash
# Copyright (c) 2026 The Assay Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows that check-layers.sh passes on the package as it is, and fails on each thing it guards against.

. "$(dirname "$0")/expect.sh"
gate=$scratch/package/Scripts/check-layers.sh

fresh_copy
expect_pass "the package" "$gate"

# violation WHAT FILE LINE-PLANTED TEXT-EXPECTED
violation() {
  fresh_copy
  plant "$2" "$3"
  expect_failure "$1" "$4" "$gate"
}

violation "an upward import" Sources/TensorGraph/Planted.swift 'import Training' \
  'TensorGraph (floor 1) imports Training (floor 3): an upward arrow'
violation "a neighbour's import" Sources/LanguageModels/Planted.swift 'import Optimizers' \
  'LanguageModels (floor 2) imports Optimizers (floor 2): an upward arrow'
violation "a transitive import" Sources/Training/Planted.swift 'public import CKernels' \
  'Training (floor 3) imports CKernels (floor 0): not declared in its uses'
violation "an undeclared product" Sources/Training/Planted.swift 'import ArgumentParser' \
  'Training imports ArgumentParser, which Package.swift does not give it'
violation "an unknown module" Sources/Charts/Planted.swift 'import FoundationNetworking' \
  'Charts imports FoundationNetworking, which Package.swift does not give it'
violation "an attribute before the import" Sources/Schedules/Planted.swift \
  '@preconcurrency internal import TensorGraph' 'not declared in its uses'
violation "an import of one declaration" Sources/Charts/Planted.swift \
  'import struct RunRecords.RunRecord' 'an upward arrow'
violation "a second statement on the line" Sources/Charts/Planted.swift \
  'import Foundation; import TextData' 'an upward arrow'
violation "an indented import" Sources/Charts/Planted.swift '  import TextData' 'an upward arrow'
violation "a test that reaches round its module" Tests/ChartsTests/Planted.swift \
  '@testable import Training' 'an upward arrow'
violation "a folder that is no module" Sources/Stray/Planted.swift 'import Foundation' \
  'Sources/Stray is no module of Package.swift'
violation "a foreign header by quotes" Sources/CKernels/planted.c '#include "COneDNN.h"' \
  'which is not its own'
violation "a foreign header by brackets" Sources/CKernels/planted.c '#include <COneDNN.h>' \
  'of another module'
violation "oneDNN outside its room" Sources/CKernels/planted.c '#include <oneapi/dnnl/dnnl.h>' \
  'only COneDNN knows oneDNN'

# An optimizer's name: the rule reads types and cards from Sources/Optimizers.
method() {
  fresh_copy
  plant Sources/Optimizers/PlantedMethod.swift 'public struct PlantedMethod: Sendable, OptimizerMethod {
  public static let card = OptimizerCard(
    name: "planted-name",
    paper: "")
}'
}
method
expect_pass "a method in its own room" "$gate"
for code in 'let method = "planted-name"' 'let method = PlantedMethod()' 'let s: PlantedMethodState' \
  'let count = "plantedMethod"' 'ck_plantedmethod_f32(x)'; do
  method
  plant Sources/Training/Planted.swift "$code"
  expect_failure "an optimizer's name in Training: $code" 'is named outside Sources/Optimizers' "$gate"
done
method
plant Sources/Training/Planted.swift '/// PlantedMethod is only mentioned here.\nlet a = 1  // and planted-name here'
expect_pass "a comment that names an optimizer" "$gate"
method
plant Sources/Training/Planted.swift 'let plantedmethodical = 1  let lambdas = PlantedMethods()'
expect_pass "words that only begin like an optimizer's name" "$gate"
method
find "$scratch/package/Sources/Optimizers" -name '*.swift' -exec \
  sed -i.bak 's/OptimizerMethod {/OptimizingThing {/; s/OptimizerCard(/Card(/' {} +
plant Sources/Optimizers/OptimizerMethod.swift 'public protocol OptimizingThing {}'
expect_failure "methods it cannot find" 'finds no optimizer' "$gate"

# The gate itself must not go blind when the manifest changes its form.
fresh_copy
sed 's/^let modules = /let rooms = /' "$package/Package.swift" >"$scratch/package/Package.swift"
expect_failure "a manifest it cannot read" 'finds no modules' "$gate"

fresh_copy
rm -rf "$scratch/package/Sources/Charts"
expect_failure "a module without a folder" 'has no folder' "$gate"

closing_line
