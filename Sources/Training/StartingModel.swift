import FoundationEssentials
import SystemPackage
import TensorFiles

/// What the file of a starting model notes beside its state: its own `config.json`.
struct StartingModel {
    /// Where the numbers of the program's parameters stand in the configuration, in bytes: [offset, length] each.
    let spans: [[Int]?]
    private let text: [UInt8]

    /// Reads the notes of a file that lowering wrote.
    init(_ path: FilePath) throws {
        let notes = try SafetensorsFile(path).metadata
        guard let text = notes["config"], let spans = notes["spans"] else {
            throw TrainingError(.invalidUnit, "\(path) is not the state of a starting model")
        }
        self.text = Array(text.utf8)
        self.spans = try JSONDecoder().decode([[Int]?].self, from: Data(spans.utf8))
    }

    /// The configuration with numbers in the place of others.
    func configuration(with numbers: [(span: Range<Int>, text: String)]) -> String {
        var bytes = text
        // From the end on, so that what comes before keeps its place.
        for number in numbers.sorted(by: { $0.span.lowerBound > $1.span.lowerBound })
        where number.span.upperBound <= text.count {
            bytes.replaceSubrange(number.span, with: number.text.utf8)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
