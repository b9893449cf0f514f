import Files
import FoundationEssentials
public import SystemPackage
import TensorFiles

/// What two `.keras` files have in common that may share a program: all but weights, names and numbers that are leaves.
public enum Architecture {
    /// A digest of a model's architecture, from its configuration alone.
    ///
    /// Left out are the names of the optimizer and of layers (but in models of several inputs or outputs, whose data and logs go by them), the
    /// seeds that initializers were given, and the learning rate where it is a number. What else differs makes another
    /// architecture, so that the worst that can come of a difference which does not matter is one more program.
    ///
    /// - Throws: for a file that is no model that Keras saved, or no harmless one.
    public static func key(of file: FilePath) throws(LoweringError) -> String {
        do throws(TensorFilesError) {
            let archive = try KerasArchive(file)
            let text = try archive.configuration()
            // Python writes numbers that JSON does not have, which then make an architecture of their own.
            guard let value = try? JSONDecoder().decode(KerasConfiguration.self, from: Data(text)) else {
                return Digest.sha256(text)
            }
            var reading = ArchitectureReading(value)
            let assets = archive.assets.map { "\($0.name) \($0.checksum)" }
            return Digest.sha256(([reading.text(of: value)] + assets).joined(separator: "\n"))
        } catch {
            throw LoweringError(
                code: error.code == .file ? .noSuchFile : .notAModel, message: error.message, cause: error)
        }
    }
}

/// A JSON value as Keras's configurations are made of.
indirect enum KerasConfiguration: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([KerasConfiguration])
    case object([String: KerasConfiguration])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let values = try? container.decode([KerasConfiguration].self) {
            self = .list(values)
        } else {
            self = .object(try container.decode([String: KerasConfiguration].self))
        }
    }

    subscript(_ key: String) -> KerasConfiguration? {
        if case .object(let values) = self { values[key] } else { nil }
    }
}

/// One pass over a configuration that leaves out what does not belong to the architecture.
private struct ArchitectureReading {
    private var names: [String: Int] = [:]
    private var sharedObjects: [Double: Int] = [:]
    private let keepsNames: Bool

    init(_ model: KerasConfiguration) {
        let ends = ["input_layers", "output_layers"].compactMap { model["config"]?[$0] }
        keepsNames = ends.contains { Self.isSeveral($0) }
    }

    /// Whether an end of a functional model (`[layer, node, tensor]`, or lists and dictionaries of it) is more than one.
    private static func isSeveral(_ end: KerasConfiguration) -> Bool {
        switch end {
        case .object: return true
        case .list(let parts):
            guard case .list? = parts.first else { return false }
            return parts.count > 1 || isSeveral(parts[0])
        default: return false
        }
    }

    mutating func text(of model: KerasConfiguration) -> String {
        text(model, at: [])
    }

    private mutating func text(_ value: KerasConfiguration, at path: [String]) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .number(let number):
            if path.last == "shared_object_id" { return "#\(Self.number(of: number, in: &sharedObjects))" }
            if path.last == "seed", path.contains(where: { $0.hasSuffix("_initializer") }) { return "seeded" }
            if Self.isLearningRate(path) { return "leaf" }
            return "\(number)"
        case .text(let text):
            if path.last == "name", Self.isOfOptimizer(path) { return "@" }
            if !keepsNames, Self.isLayerName(path) { return "@\(Self.number(of: text, in: &names))" }
            return "\(text.debugDescription)"
        case .list(let values):
            let parts = values.enumerated().map { self.text($1, at: path + [String($0)]) }
            return "[" + parts.joined(separator: ",") + "]"
        case .object(let values):
            let parts = values.sorted { $0.key < $1.key }.map { key, value in
                "\(key.debugDescription):\(self.text(value, at: path + [key]))"
            }
            return "{" + parts.joined(separator: ",") + "}"
        }
    }

    /// Which of its kind something is, in the order in which they are met.
    private static func number<Key: Hashable>(of key: Key, in numbers: inout [Key: Int]) -> Int {
        if let number = numbers[key] { return number }
        numbers[key] = numbers.count
        return numbers.count - 1
    }

    /// The learning rate of the optimizer, or of the one inside it that scales losses.
    private static func isLearningRate(_ path: [String]) -> Bool {
        path.last == "learning_rate" && isOfOptimizer(path)
    }

    private static func isOfOptimizer(_ path: [String]) -> Bool {
        path.starts(with: ["compile_config", "optimizer", "config"])
            && path.dropFirst(3).dropLast().allSatisfy { $0 == "inner_optimizer" || $0 == "config" }
    }

    /// A layer's name where it is given (`layers[i].name`, `layers[i].config.name`) or referred to.
    private static func isLayerName(_ path: [String]) -> Bool {
        if path == ["config", "name"] { return true }
        let path = path[...]
        func isElement(_ word: String?) -> Bool { word.flatMap { Int($0) } != nil }
        if path.last == "name" {
            let holder = path.dropLast(path.dropLast().last == "config" ? 2 : 1)
            return isElement(holder.last) && holder.dropLast().last == "layers"
        }
        guard path.last == "0" else { return false }
        let holder = path.dropLast()
        return holder.last == "keras_history" || holder.contains("input_layers") || holder.contains("output_layers")
    }
}
