public import Experiments
public import SystemPackage
public import TensorFiles

/// The arrays of an experiment, mapped, checked and of the types that Keras would make of them.
public struct Dataset: Sendable {
    /// The experiment that the data is of.
    public let experiment: Experiment
    /// What trials train on, one set of arrays (with `{by: file}`: one a trial), then what they validate on.
    ///
    /// Copies of them with missing numbers filled follow.
    public internal(set) var sources: [DataSource]
    /// How many of `sources` are for training; those after them are for validation.
    public let trainingSources: Int
    /// How many of `sources` are for training and validation, those that are no copies.
    let ownSources: Int
    /// The weights of rows that trials choose between: of each one array a training source.
    let rowWeights: [FitOptions.RowWeights: [DatasetArray]]
    /// Where the columns are that `by` and `stratify` may name.
    let columns: [String: Location]
    /// The files that list rows, by the keys that name them.
    let rowFiles: [String: [Location]]
    /// Where prepared arrays are kept.
    let cache: FilePath

    /// The arrays of the first source: what every source's arrays are like, in the order of the program's inputs.
    public var inputs: [DatasetArray] { sources.first?.arrays ?? [] }

    /// The arrays of a source, with the weights of rows that a trial has chosen in the place of the data's own.
    ///
    /// Weights of classes are for the rows to train on alone; a column weighs the rows of its data whatever they are for.
    public func source(_ number: Int, weights: FitOptions.RowWeights?) -> DataSource {
        var source = sources[number]
        guard let weights, let chosen = rowWeights[weights], case let number = source.base ?? number,
            number < chosen.count,
            let place = source.arrays.firstIndex(where: { $0.role == .sampleWeight })
        else { return source }
        source.arrays[place] = chosen[number]
        return source
    }

    /// The rows of the first source.
    public var rows: Int { sources.first?.rows ?? 0 }

    /// The bytes of all arrays that trials may see, as they are mapped: an array that several sources share counts once.
    public var bytes: Int { bytes(of: { _ in true }) }

    /// The bytes of those arrays that are copies in the cache, since the user's files could not be mapped as they are.
    public var copiedBytes: Int { bytes(of: \.isPrepared) }

    private func bytes(of isCounted: (DatasetArray) -> Bool) -> Int {
        var counted: Set<String> = []
        return sources.lazy.flatMap(\.arrays).reduce(0) { sum, array in
            // An array with missing numbers is only what others are copied from.
            guard array.fills.isEmpty, isCounted(array), counted.insert("\(array.file):\(array.offset)").inserted
            else { return sum }
            return sum + array.byteCount
        }
    }
}

/// Arrays with the same number of rows.
public struct DataSource: Sendable, Equatable {
    /// What the source is called: a file's name with `{by: file}`, otherwise `all` or `validation`.
    public var label: String
    /// The rows of each array.
    public var rows: Int
    /// The arrays: inputs, targets, then the weights of the rows.
    public var arrays: [DatasetArray]
    /// The number of the source that this one is a copy of, with missing numbers filled; `nil` for the others.
    var base: Int?
}

/// One array in a file that can be mapped: little-endian, in C order, of a type that the program takes.
public struct DatasetArray: Sendable, Equatable {
    /// What the array is to the model.
    public enum Role: String, Sendable, Equatable, Codable {
        /// An input.
        case x
        /// A target.
        case y
        /// The weights of the rows.
        case sampleWeight = "sample_weight"
    }

    /// The array's name: `x`, or one of several.
    public var name: String
    /// What the array is to the model.
    public var role: Role
    /// The type of the elements.
    public var dtype: DType
    /// The shape of one row.
    public var rowShape: [Int]
    /// How many rows there are.
    public var rows: Int
    /// The file that holds them: the user's own, or one in the cache.
    public var file: FilePath
    /// Bytes before the first row.
    public var offset: Int
    /// The size of the file in bytes when it was opened.
    public var fileSize: Int
    /// The modification time of the file in nanoseconds when it was opened.
    public var modified: Int64
    /// The user's file, as the experiment names it.
    public var origin: String
    /// Whether `file` is a copy in the cache.
    public var isPrepared: Bool
    /// The numbers of a row that may be NaN until ``Dataset/fill(_:)`` was called.
    public var fills: [ArraySource.Fill] = []

    /// The whole array's shape, rows first.
    public var shape: [Int] { [rows] + rowShape }

    /// Bytes of all rows.
    public var byteCount: Int { shape.reduce(dtype.size, *) }
}
