public import FoundationEssentials

extension RunnerEvent {
    /// The event as one line of JSON, without the line's end; numbers that JSON lacks become strings.
    public func line() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(self)
    }

    /// The event that a line says.
    public init(line: Data) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        self = try decoder.decode(RunnerEvent.self, from: line)
    }
}

extension Unit {
    /// The file's name inside a unit's folder.
    public static let fileName = "unit.json"
    /// The file inside a unit's folder with what the runner wrote on standard error while it was at work on the unit.
    public static let logName = "log.txt"

    /// The unit as JSON with sorted keys.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// The unit that a `unit.json` holds.
    public init(json: Data) throws {
        self = try JSONDecoder().decode(Unit.self, from: json)
    }
}
