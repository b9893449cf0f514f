import ArgumentParser
import Bundles
import Devices
import Execution
import Experiments
import FoundationEssentials
import Planning

/// Says what training would do.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Says what training would do: trials, programs, cohorts, devices, memory, disk. Trains nothing.",
        discussion: """
            A runner compiles the programs, so that the figures of memory are the compiler's own; the compiled programs are
            kept, and training begins at once afterwards.

              pronghorn plan experiment.yaml
              pronghorn plan experiment.yaml --devices cuda --json
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Prints one JSON object.")
    var json = false

    func run() async throws {
        try await Failure.reporting {
            let view = RunView(json ? .quiet : Terminal.isInteractive ? .live : .plain)
            let plan: RunPlan
            do {
                plan = try await Run(try options.request()) { view.show($0) }.plan()
            } catch {
                view.close()
                throw error
            }
            view.close()
            if json { Terminal.line(try PlanJSON(plan).text) } else { show(plan) }
        }
    }

    private func show(_ plan: RunPlan) {
        Terminal.line(
            "\(plan.experiment): \(Quantity.count(plan.trials.count, "trial")) on \(Quantity.count(plan.partitions, "partition"))"
        )
        Terminal.line(
            "devices:  "
                + plan.devices.map { device in
                    device.name + (device.memory.map { " (\(Quantity.bytes($0)) of memory)" } ?? "")
                }.joined(separator: ", "))
        var told: Set<String> = []
        for program in plan.programs {
            let arguments = program.arguments.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            Terminal.line(
                "program:  \(program.name)" + (arguments.isEmpty ? "" : " (\(arguments.joined(separator: ", ")))")
                    + ", \(program.description.trainableParameters) parameters, \(program.form.rawValue), engine native"
            )
            if !program.inputs.isEmpty {
                Terminal.line("          its inputs: \(program.inputs.joined(separator: ", "))")
            }
            // Of what splits a program there can be as many programs as trials: the reason is said once.
            for (name, reason) in program.baked.sorted(by: { $0.key < $1.key })
            where told.insert("\(name): \(reason)").inserted {
                Terminal.line("          a program for each \(name): \(reason)")
            }
            for note in program.description.notes { Terminal.line("          \(note)") }
            let lanes = program.cohorts.map(\.lanes).max() ?? 0
            Terminal.line(
                "          \(Quantity.count(program.trials, "trial")) in \(Quantity.count(program.cohorts.count, "cohort")) of up to "
                    + "\(lanes), \(memory(program.memory)) a cohort")
            Terminal.line(
                "          padding: \(Quantity.fixed(program.padding.share * 100, 1))% of the steps of lanes; "
                    + "\(Quantity.count(program.tailFunctions, "function")) for last batches")
        }
        for fit in plan.fits {
            let arguments = fit.arguments.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            Terminal.line(
                "Model.fit: \(Quantity.count(fit.trials.count, "trial"))"
                    + (arguments.isEmpty ? "" : " (\(arguments.joined(separator: ", ")))")
                    + " on the backend \(fit.backend), engine fit: \(fit.reason)")
        }
        let copied = plan.copiedBytes == 0 ? "nothing" : Quantity.bytes(plan.copiedBytes)
        let resident =
            plan.residentBytes == 0 ? "streamed to the devices" : "\(Quantity.bytes(plan.residentBytes)) on each device"
        Terminal.line(
            "data:     \(Quantity.bytes(plan.dataBytes)), mapped once; \(copied) of it copied to the cache; \(resident)"
        )
        Terminal.line(
            "models:   \(Quantity.bytes(plan.modelBytes)) on disk"
                + (plan.fits.isEmpty ? "" : ", without those of Model.fit, whose size shows when they are built"))
    }

    private func memory(_ memory: PlannedProgram.Memory) -> String {
        switch memory {
        case .compiled(let bytes): "\(Quantity.bytes(bytes)) (the compiler's figure)"
        case .estimated(let bytes): "about \(Quantity.bytes(bytes))"
        }
    }
}

/// What `plan --json` prints.
private struct PlanJSON: Encodable {
    struct Program: Encodable {
        var name: String
        var arguments: [String: ParameterValue]
        var inputs: [String]
        var baked: [String: String]
        var engine: String
        var form: String
        var trials: Int
        var cohorts: [[Int]]
        var lanes: Int
        var padding: Double
        var tailFunctions: Int
        var parameters: Int
        var memoryBytes: Int
        var memoryIsCompiled: Bool
        var notes: [String]

        enum CodingKeys: String, CodingKey {
            case name, arguments, inputs, baked, engine, form, trials, cohorts, lanes, padding, parameters, notes
            case tailFunctions = "tail_functions"
            case memoryBytes = "memory_bytes"
            case memoryIsCompiled = "memory_is_compiled"
        }
    }

    struct Fit: Encodable {
        var arguments: [String: ParameterValue]
        var engine = "fit"
        var backend: String
        var reason: String
        var trials: [Int]
    }

    struct DeviceEntry: Encodable {
        var name: String
        var memory: Int?
    }

    var experiment: String
    var trials: Int
    var partitions: Int
    var devices: [DeviceEntry]
    var programs: [Program]
    var fits: [Fit]
    var dataBytes: Int
    var copiedBytes: Int
    var residentBytes: Int
    var modelBytes: Int

    enum CodingKeys: String, CodingKey {
        case experiment, trials, partitions, devices, programs, fits
        case dataBytes = "data_bytes"
        case copiedBytes = "copied_bytes"
        case residentBytes = "resident_bytes"
        case modelBytes = "model_bytes"
    }

    init(_ plan: RunPlan) {
        experiment = plan.experiment
        trials = plan.trials.count
        partitions = plan.partitions
        devices = plan.devices.map { DeviceEntry(name: $0.name, memory: $0.memory) }
        programs = plan.programs.map { program in
            var isCompiled = false
            if case .compiled = program.memory { isCompiled = true }
            return Program(
                name: program.name, arguments: program.arguments, inputs: program.inputs,
                baked: program.baked, engine: "native", form: program.form.rawValue,
                trials: program.trials, cohorts: program.cohorts.map(\.trials),
                lanes: program.cohorts.map(\.lanes).max() ?? 0, padding: program.padding.share,
                tailFunctions: program.tailFunctions, parameters: program.description.trainableParameters,
                memoryBytes: program.memory.bytes, memoryIsCompiled: isCompiled, notes: program.description.notes)
        }
        fits = plan.fits.map {
            Fit(arguments: $0.arguments, backend: $0.backend, reason: $0.reason, trials: $0.trials)
        }
        dataBytes = plan.dataBytes
        copiedBytes = plan.copiedBytes
        residentBytes = plan.residentBytes
        modelBytes = plan.modelBytes
    }

    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
