import Foundation
import Testing

/// The boundaries between modules, read from the sources themselves.
@Suite struct ArchitectureTests {
    /// What each module may import of ours, and nothing else.
    static let allowed: [String: Set<String>] = [
        // Files, devices, formats: what everything stands on.
        "CLinux": [], "CPJRT": [], "CZlib": [],
        "Files": [],
        "TensorFiles": ["Files", "CZlib"],
        "PJRT": ["CPJRT", "Files"],
        "Devices": [],
        "Randomness": [],
        // What is asked for, and what passes between processes.
        "Experiments": ["Randomness"],
        "Units": [],
        "Bundles": [],
        // The runner.
        "Programs": ["Bundles", "Randomness", "PJRT", "Files"],
        "Training": ["Programs", "Bundles", "Randomness", "Units", "TensorFiles", "Files", "PJRT"],
        // The control process.
        "Datasets": ["Experiments", "Randomness", "TensorFiles", "Files"],
        "PythonEnvironment": ["Files"],
        "Lowering": ["Bundles", "PythonEnvironment", "TensorFiles", "Files"],
        "Planning": ["Experiments"],
        "Ledger": ["Files"],
        "Execution": [
            "Ledger", "Planning", "Experiments", "Lowering", "Datasets", "Devices", "Units", "Files", "Bundles",
            "PythonEnvironment", "TensorFiles",
        ],
        // What the user meets.
        "Pronghorn": ["Execution", "Experiments", "Ledger", "Devices", "TensorFiles", "Files"],
        "PronghornCommands": [
            "Training", "PJRT", "CLinux", "Bundles", "Devices", "PythonEnvironment", "Execution",
            "Experiments", "Ledger", "Planning", "Files",
        ],
        "PronghornTool": ["PronghornCommands"],
    ]

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let sources = root.appending(path: "Sources")

    /// The modules there are: the folders of `Sources`.
    static var modules: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { !$0.hasPrefix(".") }.sorted()
        }
    }

    /// Every import of a module's sources, with the file it stands in.
    static func imports(of module: String) throws -> [(module: String, file: String, line: Substring)] {
        let folder = sources.appending(path: module)
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var found: [(module: String, file: String, line: Substring)] = []
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            let text = try String(contentsOf: file, encoding: .utf8)
            for line in text.split(whereSeparator: \.isNewline) {
                if let name = importedModule(line) { found.append((name, "\(module)/\(file.lastPathComponent)", line)) }
            }
        }
        return found
    }

    /// The module that a line imports: `public import struct Units.Unit` is an import of `Units`.
    static func importedModule(_ line: Substring) -> String? {
        var words = line.split(whereSeparator: \.isWhitespace)[...]
        while let word = words.first, word.hasPrefix("@") || ["public", "package", "internal"].contains(word) {
            words.removeFirst()
        }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        if let word = words.first, ["struct", "class", "enum", "protocol", "func", "let", "typealias"].contains(word) {
            words.removeFirst()
        }
        return words.first?.split(separator: ".").first.map(String.init)
    }

    @Test("Every module keeps to the modules that it may know")
    func importGraph() throws {
        let modules = Set(try Self.modules)
        var imports = 0
        for module in modules.sorted() {
            let allowed = try #require(
                Self.allowed[module], "the new module \(module) has no line in this test's table")
            for found in try Self.imports(of: module) where modules.contains(found.module) && found.module != module {
                imports += 1
                #expect(
                    allowed.contains(found.module),
                    "\(found.file) imports \(found.module), which \(module) must not know")
            }
        }
        #expect(imports > 50, "the sources were not read")
    }

    /// The modules of ours that the package's description gives each library.
    static func declared(_ modules: Set<String>) throws -> [String: Set<String>] {
        let text = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        var declared: [String: Set<String>] = [:]
        for library in text.matches(of: /library\(\s*"(\w+)"(?:,\s*\[([^\]]*)\])?/) {
            let names = (library.2 ?? "").matches(of: /"(\w+)"/).map { String($0.1) }
            declared[String(library.1)] = modules.intersection(names)
        }
        return declared
    }

    @Test("A library declares the modules that it imports, and no others")
    func declaredDependencies() throws {
        let modules = Set(try Self.modules)
        let libraries = try Self.declared(modules)
        #expect(libraries.count > 15, "the package's description was not read")
        for (module, declared) in libraries {
            let imported = modules.intersection(try Self.imports(of: module).map(\.module)).subtracting([module])
            #expect(declared == imported, "Package.swift and the imports of \(module) differ")
            #expect(Self.allowed[module] == imported, "this test's table and the imports of \(module) differ")
        }
    }

    @Test("The control process never loads a plugin: only the runner's modules and the verb that starts it know PJRT")
    func pluginsStayInTheRunner() throws {
        let mayLoad: Set = ["PJRT", "Programs", "Training", "PronghornCommands"]
        for module in try Self.modules where !mayLoad.contains(module) {
            for found in try Self.imports(of: module) {
                #expect(
                    !["PJRT", "CPJRT", "Programs", "Training"].contains(found.module), "\(found.file) reaches a plugin")
            }
        }
        let commands = try Self.imports(of: "PronghornCommands")
        let reaching = Set(commands.filter { ["PJRT", "Training"].contains($0.module) }.map(\.file))
        #expect(reaching == ["PronghornCommands/RunnerCommand.swift"])
    }

    @Test("What is said to be pure imports no module that reaches files, processes or the network")
    func pureModules() throws {
        let pure = ["Experiments", "Planning", "Units", "Bundles", "Randomness"]
        let impure: Set = [
            "Foundation", "Glibc", "Dispatch", "Subprocess", "SystemPackage", "System", "Files", "Synchronization",
        ]
        // Functions of mathematics, each imported by its name, reach nothing.
        let mathematics: Set<Substring> = ["import func Glibc.exp", "import func Glibc.log", "import func Glibc.pow"]
        for module in pure {
            for found in try Self.imports(of: module) where !mathematics.contains(found.line) {
                #expect(!impure.contains(found.module), "\(found.file) imports \(found.module)")
            }
        }
    }

    @Test("Only the ledger knows SQL, only experiments YAML, only the command line its parser")
    func eachPackageHasOnePlace() throws {
        let owners: [String: Set<String>] = [
            "GRDB": ["Ledger"], "Yams": ["Experiments"], "Crypto": ["Files"], "CZlib": ["TensorFiles"],
            "CPJRT": ["PJRT"], "CLinux": ["PronghornCommands"],
            "ArgumentParser": ["PronghornCommands", "PronghornTool"],
            "Subprocess": ["Devices", "Execution", "Lowering", "PythonEnvironment"],
        ]
        for module in try Self.modules {
            for found in try Self.imports(of: module) {
                guard let owners = owners[found.module] else { continue }
                #expect(owners.contains(module), "\(found.file) imports \(found.module)")
            }
        }
    }

    @Test("The page on the architecture names every module")
    func documented() throws {
        let text = try String(contentsOf: Self.root.appending(path: "docs/Architecture.md"), encoding: .utf8)
        for module in try Self.modules {
            #expect(text.contains("`\(module)`"), "docs/Architecture.md says nothing of \(module)")
        }
    }

    @Test(
        "An import is seen in whatever form it is written",
        arguments: [
            ("import Units", "Units"), ("public import Units", "Units"), ("@testable import Units", "Units"),
            ("internal import struct Units.Unit", "Units"), ("// import Units", nil), ("important(Units)", nil),
        ] as [(Substring, String?)])
    func parsing(line: Substring, module: String?) {
        #expect(Self.importedModule(line) == module)
    }
}
