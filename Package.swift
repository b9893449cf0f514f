// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// The testing library's macros expand to code with warnings of its own, so that tests are not held to this.
let strictSettings: [SwiftSetting] = settings + [.treatAllWarnings(as: .error)]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strictSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")

let package = Package(
    name: "pronghorn",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "pronghorn", targets: ["PronghornTool"]),
        .library(name: "Pronghorn", targets: ["Pronghorn"]),
        .library(name: "PJRT", targets: ["PJRT"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Files and devices: what everything else stands on.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        library("Files", [.product(name: "Crypto", package: "swift-crypto"), systemPackage]),
        library("TensorFiles", ["Files", "CZlib", systemPackage]),
        .target(name: "CLinux"),
        .target(name: "CPJRT"),
        library("PJRT", ["CPJRT", "Files", systemPackage]),

        // What is asked for, and what a runner is asked to do.
        library("Experiments", ["Randomness", .product(name: "Yams", package: "Yams")]),
        library("Units"),
        library("Randomness"),

        // What lowering leaves behind.
        library("Bundles"),

        // The runner's side: it loads the plugin and never the ledger.
        library("Programs", ["Bundles", "Randomness", "PJRT", "Files", systemPackage]),
        library(
            "Training", ["Programs", "Bundles", "Randomness", "Units", "TensorFiles", "Files", "PJRT", systemPackage]),

        // The control process's side: it never loads a plugin.
        library("Datasets", ["Experiments", "Randomness", "TensorFiles", "Files", systemPackage]),
        library("PythonEnvironment", ["Files", subprocess, systemPackage]),
        library("Lowering", ["Bundles", "PythonEnvironment", "TensorFiles", "Files", subprocess, systemPackage]),
        library("Devices", [subprocess, systemPackage]),
        library("Planning", ["Experiments"]),
        library("Ledger", ["Files", .product(name: "GRDB", package: "GRDB.swift")]),
        library(
            "Execution",
            [
                "Ledger", "Planning", "Experiments", "Lowering", "Datasets", "Devices", "Units", "Files",
                "Bundles", "PythonEnvironment", "TensorFiles", subprocess, systemPackage,
            ]),
        library("Pronghorn", ["Execution", "Experiments", "Ledger", "Devices", "TensorFiles", "Files", systemPackage]),
        library(
            "PronghornCommands",
            [
                "Training", "PJRT", "CLinux", "Bundles", "Devices", "PythonEnvironment", "Execution",
                "Experiments", "Ledger", "Planning", "Files", systemPackage,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "PronghornTool", dependencies: ["PronghornCommands"],
            swiftSettings: settings),

        .executableTarget(
            name: "OneScript", dependencies: ["Pronghorn"], path: "Examples/OneScript", swiftSettings: settings),

        tests("FilesTests", ["Files", systemPackage]),
        tests("TensorFilesTests", ["TensorFiles", "Files", systemPackage]),
        tests("PJRTTests", ["PJRT", "CPJRT", "Files", systemPackage]),
        tests("ExperimentsTests", ["Experiments"]),
        tests("UnitsTests", ["Units"]),
        tests("RandomnessTests", ["Randomness"]),
        tests("ProgramsTests", ["Programs", "Bundles", "PJRT", systemPackage]),
        tests(
            "TrainingTests",
            ["Training", "Programs", "Bundles", "Randomness", "Files", "Units", "TensorFiles", "PJRT", systemPackage],
            exclude: ["Support"]),
        tests("DatasetsTests", ["Datasets", "Experiments", "TensorFiles", "Files", systemPackage]),
        tests("PythonEnvironmentTests", ["PythonEnvironment", "Files", systemPackage]),
        tests("LoweringTests", ["Lowering", "Bundles", "PythonEnvironment", "TensorFiles", "Files", systemPackage]),
        tests("DevicesTests", ["Devices", systemPackage]),
        tests("PlanningTests", ["Planning", "Bundles", "Experiments"]),
        tests("LedgerTests", ["Ledger", .product(name: "GRDB", package: "GRDB.swift")]),
        tests(
            "ExecutionTests",
            [
                "Execution", "Bundles", "Datasets", "Devices", "Ledger", "PythonEnvironment", "Randomness",
                "TensorFiles", "Units", subprocess, systemPackage,
            ]),
        tests("ArchitectureTests", []),
        tests("PronghornTests", ["Pronghorn", subprocess, systemPackage]),
        tests("EndToEnd", ["Pronghorn", "OneScript", subprocess, systemPackage], exclude: ["Support"]),
    ],
    swiftLanguageModes: [.v6]
)
