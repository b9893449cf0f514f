import Execution
import FoundationEssentials
import SystemPackage

extension DoctorCommand {
    /// Says how a run's data were read.
    func explain(_ folder: String, memory: Int) throws {
        let report = try InputReport(of: FilePath(folder), Terminal.ledger(of: folder))
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Terminal.line(String(decoding: try encoder.encode(InputObject(report, memory)), as: UTF8.self))
        }
        Terminal.line("data        \(InputText.sizes(report))")
        for file in report.files.prefix(10) {
            let place = file.isResident ? ", kept on the device" : file.isCopy ? ", a copy in the cache" : ""
            Terminal.line("            \(Quantity.bytes(file.bytes))  \(file.path)\(place)")
        }
        if report.files.count > 10 { Terminal.line("            … \(report.files.count - 10) more") }
        guard let share = report.waitShare, let seconds = report.waitSeconds else {
            return Terminal.line("input       no unit has been trained to its end yet that says how long it waited")
        }
        Terminal.line(
            "input       \(Quantity.seconds(seconds)) of \(Quantity.seconds(report.trainSeconds)) of training (\(Quantity.fixed(share * 100, 1))%) "
                + "passed without rows to train on, over \(Quantity.count(report.units, "unit"))")
        let advice = report.advice(memory: memory)
        for line in advice { Terminal.line("advice      \(line)") }
        if advice.isEmpty { Terminal.line("            the input is not what takes the time") }
    }

    /// What `doctor DIR --json` prints.
    private struct InputObject: Encodable {
        var mappedBytes: Int
        var copiedBytes: Int
        var residentBytes: Int
        var files: Int
        var trainSeconds: Double
        var inputSeconds: Double?
        var advice: [String]

        init(_ report: InputReport, _ memory: Int) {
            (mappedBytes, copiedBytes, residentBytes) = (report.mappedBytes, report.copiedBytes, report.residentBytes)
            (files, trainSeconds, inputSeconds) = (report.files.count, report.trainSeconds, report.waitSeconds)
            advice = report.advice(memory: memory)
        }

        enum CodingKeys: String, CodingKey {
            case files, advice
            case mappedBytes = "mapped_bytes"
            case copiedBytes = "copied_bytes"
            case residentBytes = "resident_bytes"
            case trainSeconds = "train_seconds"
            case inputSeconds = "input_seconds"
        }
    }
}

/// How large a run's data are, in words.
enum InputText {
    static func sizes(_ report: InputReport) -> String {
        let copied = report.copiedBytes == 0 ? "nothing" : Quantity.bytes(report.copiedBytes)
        let resident = report.residentBytes == 0 ? "nothing" : Quantity.bytes(report.residentBytes)
        return
            "\(Quantity.bytes(report.mappedBytes)) on disk, mapped once; \(copied) of it copied to the cache, \(resident) "
            + "kept on each device"
    }
}
