// swift-tools-version: 6.2
// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackageDescription

/// The building, as data: every module names its floor, and may only use modules on floors below.
struct Module {
  enum Kind { case swift, c, executable }
  var name: String
  var layer: Int
  var kind = Kind.swift
  var uses: [String] = []
  var products: [Target.Dependency] = []
  var tested = true
}

let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")

let modules = [
  Module(name: "CKernels", layer: 0, kind: .c),
  Module(name: "COneDNN", layer: 0, kind: .c, tested: false),
  Module(name: "CPJRT", layer: 0, kind: .c, tested: false),
  Module(name: "RandomStreams", layer: 0),

  Module(name: "TensorGraph", layer: 1),
  Module(name: "TextData", layer: 1, uses: ["RandomStreams"]),
  Module(name: "TensorFiles", layer: 1),
  Module(name: "RunRecords", layer: 1),
  Module(name: "Charts", layer: 1),
  Module(name: "Configurations", layer: 1, products: [tomlKit]),
  Module(name: "Statistics", layer: 1, uses: ["RandomStreams"]),

  Module(name: "LanguageModels", layer: 2, uses: ["TensorGraph", "RandomStreams"]),
  Module(name: "Optimizers", layer: 2, uses: ["TensorGraph"]),
  Module(name: "Schedules", layer: 2),
  Module(name: "CPURuntime", layer: 2, uses: ["TensorGraph", "CKernels", "COneDNN"]),
  Module(name: "XLARuntime", layer: 2, uses: ["TensorGraph", "TensorFiles", "CPJRT"]),

  Module(
    name: "Comparison", layer: 2,
    uses: ["RunRecords", "Statistics", "Configurations", "RandomStreams"]),
  Module(name: "Downloads", layer: 2, uses: ["TextData", "Configurations"]),
  Module(name: "RunIndex", layer: 2, uses: ["RunRecords", "Configurations"], products: [grdb]),
  Module(
    name: "SpeedRecords", layer: 2,
    uses: ["RunRecords", "Statistics", "Configurations", "TensorFiles", "RandomStreams"]),

  Module(
    name: "Training", layer: 3,
    uses: [
      "LanguageModels", "Optimizers", "Schedules", "CPURuntime", "XLARuntime", "TensorGraph",
      "TextData", "TensorFiles", "RunRecords", "Configurations", "RandomStreams",
    ]),

  Module(
    name: "Studies", layer: 4,
    uses: [
      "Training", "Comparison", "RunRecords", "Configurations", "Optimizers", "LanguageModels",
      "TensorGraph", "TextData", "RandomStreams", "Statistics",
    ]),
  Module(
    name: "Reports", layer: 4,
    uses: ["Comparison", "RunRecords", "Statistics", "Charts", "Configurations"]),
  Module(
    name: "Dashboard", layer: 4,
    uses: ["Comparison", "RunRecords", "Charts", "Statistics"],
    products: [flyingFox, flyingSocks]),

  Module(
    name: "assay", layer: 5, kind: .executable,
    uses: [
      "Studies", "Reports", "Dashboard", "Comparison", "RunIndex", "SpeedRecords", "Statistics",
      "Training", "LanguageModels", "Optimizers", "Schedules", "CPURuntime", "XLARuntime",
      "TensorGraph", "TextData", "TensorFiles", "RunRecords", "Charts", "Configurations",
      "RandomStreams",
      "Downloads",
    ],
    products: [argumentParser], tested: false),
]

/// What only tests link, by the module whose tests do.
let testSupport = [
  "CPURuntime": ["CAllocationCounter", "OperationCases"],
  "Downloads": ["LocalServer"],
  "Optimizers": ["OptimizerBenches"],
  "Training": ["OptimizerBenches"],
  "XLARuntime": ["OperationCases"],
]
/// The modules that such targets use where they are Swift; the others are C.
let testSupportUses = [
  "OptimizerBenches": ["Optimizers", "CPURuntime", "TensorGraph"], "LocalServer": [],
  // The twin that every runtime is compared with lives beside the CPU's.
  "OperationCases": ["CPURuntime", "TensorGraph"],
]

/// `ASSAY_ONLY=Statistics,Charts swift test` builds these rooms and what they stand on, and nothing else.
let chosen = Context.environment["ASSAY_ONLY"].map { names in
  var wanted = Set(names.split(separator: ",").map(String.init))
  let support = wanted.flatMap { testSupport[$0] ?? [] }
  wanted.formUnion(support.flatMap { testSupportUses[$0] ?? [] })
  for module in modules.reversed() where wanted.contains(module.name) {
    wanted.formUnion(module.uses)
  }
  return wanted
}
let rooms = modules.filter { chosen?.contains($0.name) ?? true }

let layerOf = Dictionary(uniqueKeysWithValues: modules.map { ($0.name, $0.layer) })
for module in rooms {
  for used in module.uses {
    guard let layer = layerOf[used] else { fatalError("\(module.name) uses unknown \(used)") }
    if layer >= module.layer {
      fatalError("\(module.name) (layer \(module.layer)) may not use \(used) (layer \(layer))")
    }
  }
}

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

// C is optimised in every configuration (the last -O wins over SwiftPM's -O0), or debug tests crawl.
// Contraction stays off so that the same source gives the same bits under every instruction set.
var cFlags = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"]
var linkerSettings: [LinkerSetting] = [.linkedLibrary("dnnl")]
#if os(macOS)
  for prefix in ["/opt/homebrew", "/usr/local"]
  where FileManager.default.fileExists(atPath: prefix + "/include/dnnl.h")
    || FileManager.default.fileExists(atPath: prefix + "/include/oneapi/dnnl/dnnl.h")
  {
    cFlags += ["-I\(prefix)/include"]
    linkerSettings += [.unsafeFlags(["-L\(prefix)/lib"])]
  }
#endif

/// What the tests of a module link beside it.
func linked(by module: Module) -> [String] {
  let support = testSupport[module.name] ?? []
  let modules = Set(module.uses + support.flatMap { testSupportUses[$0] ?? [] })
  return support + modules.subtracting([module.name]).sorted()
}

let support = testSupport.filter { entry in rooms.contains { $0.name == entry.key } }
var targets: [Target] = Set(support.values.joined()).sorted().map { name in
  let path = "Tests/Support/\(name)"
  guard let uses = testSupportUses[name] else {
    return .target(name: name, path: path, cSettings: [.unsafeFlags(cFlags)])
  }
  return .target(
    name: name, dependencies: uses.map { .target(name: $0) }, path: path, swiftSettings: strict)
}
for module in rooms {
  let dependencies = module.uses.map { Target.Dependency.target(name: $0) } + module.products
  switch module.kind {
  case .c:
    targets.append(
      .target(
        name: module.name, dependencies: dependencies,
        cSettings: [.unsafeFlags(cFlags)],
        linkerSettings: module.name == "COneDNN" ? linkerSettings : [.linkedLibrary("m")]))
  case .swift:
    targets.append(
      .target(name: module.name, dependencies: dependencies, swiftSettings: strict))
  case .executable:
    targets.append(
      .executableTarget(name: module.name, dependencies: dependencies, swiftSettings: strict))
  }
  let tests = "Tests/\(module.name)Tests"
  if module.tested, FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + tests) {
    targets.append(
      .testTarget(
        name: "\(module.name)Tests",
        dependencies: [.target(name: module.name)]
          + linked(by: module).map { Target.Dependency.target(name: $0) } + module.products,
        path: tests, swiftSettings: strict))
  }
}

// The command as its user meets it: processes, exit codes, files. Depends on the executable so that it is built first.
if rooms.contains(where: { $0.name == "assay" }) {
  targets.append(
    .testTarget(
      name: "CommandTests", dependencies: ["assay", "LocalServer"], path: "Tests/CommandTests",
      swiftSettings: strict))
}

/// The packages that the chosen rooms use.
let packages: [(name: String, dependency: Package.Dependency)] = [
  (
    "swift-argument-parser",
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ),
  ("TOMLKit", .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0")),
  ("GRDB.swift", .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0")),
  ("FlyingFox", .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1")),
]
let usedPackages = Set(
  rooms.flatMap(\.products).compactMap { product -> String? in
    if case .productItem(_, let package, _, _) = product { return package }
    return nil
  })

let package = Package(
  name: "Assay",
  platforms: [.macOS(.v15)],
  products: chosen == nil ? [.executable(name: "assay", targets: ["assay"])] : [],
  dependencies: packages.filter { usedPackages.contains($0.name) }.map(\.dependency),
  targets: targets
)
