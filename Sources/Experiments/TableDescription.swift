/// A table in CSV or Parquet files whose columns become the arrays of an experiment.
public struct TableDescription: Sendable, Equatable, Codable {
    /// Files with the same columns, one after another: paths or patterns, absolute or relative to the experiment file's
    /// folder.
    public var files: [String]
    /// What stands between the fields of a CSV file; nil: a comma, in `.tsv` files a tab.
    public var separator: String?
    /// The inputs; one named `x` is passed to Keras bare.
    public var x: [Array]
    /// The targets; empty for a model that needs none.
    public var y: [Array]
    /// The column of the rows' weights.
    public var weight: String?
    /// What becomes of missing values.
    public var missing: Missing
    /// What stands for a missing value besides an empty field; nil: `NA`, `NaN`, `null` and the like where numbers or
    /// dates are expected.
    public var missingMarkers: [String]?

    /// A table, by default with all its columns as inputs.
    public init(
        files: [String], separator: String? = nil, x: [Array] = [Array(name: "x", columns: nil)], y: [Array] = [],
        weight: String? = nil, missing: Missing = Missing(), missingMarkers: [String]? = nil
    ) {
        self.files = files
        self.separator = separator
        self.x = x
        self.y = y
        self.weight = weight
        self.missing = missing
        self.missingMarkers = missingMarkers
    }

    /// Columns side by side.
    public struct Array: Sendable, Equatable, Codable {
        /// What the array is called.
        public var name: String
        /// Its columns; nil: all of the table that are not used otherwise.
        public var columns: [Column]?

        /// An array.
        public init(name: String, columns: [Column]?) {
            self.name = name
            self.columns = columns
        }
    }

    /// A column and how it becomes numbers.
    public struct Column: Sendable, Equatable, Codable {
        /// The name that the table has for it.
        public var name: String
        /// How; nil: a feature is a number, and a target a number or, if all are texts, the number of its class.
        public var encoding: Encoding?

        /// A column.
        public init(name: String, encoding: Encoding? = nil) {
            self.name = name
            self.encoding = encoding
        }
    }

    /// How a column becomes numbers.
    public enum Encoding: Sendable, Equatable, Codable {
        /// As it is.
        case number
        /// The number of its category, from 0; nil: those that the table has, in order.
        case ordinal(categories: [String]?, unknown: Unknown)
        /// A column a category.
        case oneHot(categories: [String]?, unknown: Unknown)
        /// A digest modulo a number of bins, one-hot or as the bin's number.
        case hashing(bins: Int, oneHot: Bool)
        /// A column each for so many of the most frequent words.
        case bagOfWords(words: Int, binary: Bool)
        /// A column each for parts of a date; `format` is that of `strptime`, nil: ISO 8601.
        case date(parts: [String], format: String?)
    }

    /// What becomes of a value that is none of the categories.
    public enum Unknown: String, Sendable, Equatable, Codable, CaseIterable {
        case error
        /// It is of a category of its own, the last one.
        case own
    }

    /// The parts of a date.
    public static let dateParts = [
        "days", "year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second",
    ]

    /// What becomes of missing values: a rule for all columns, and others for some.
    public struct Missing: Sendable, Equatable, Codable {
        /// The rule of the columns that have none of their own.
        public var all: Rule
        /// Rules by column.
        public var columns: [String: Rule]

        /// By default a missing value is an error.
        public init(all: Rule = .error, columns: [String: Rule] = [:]) {
            self.all = all
            self.columns = columns
        }
    }

    /// What becomes of a missing value.
    public enum Rule: Sendable, Equatable, Codable {
        case error
        /// Its row is left out.
        case drop
        /// A number or a text stands for it.
        case value(ParameterValue)
        /// The mean of the column over the rows that a trial trains on.
        case mean
        /// The median, likewise.
        case median
    }
}

extension TableDescription: CustomStringConvertible {
    /// The table as messages call it: its first file, and how many there are.
    public var description: String {
        let first = files.first ?? ""
        return files.count == 1 ? first : "\(first) and \(files.count - 1) more"
    }
}
