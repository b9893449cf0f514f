import Files
import FoundationEssentials
import Planning
import SystemPackage
import TensorFiles
import Units

extension Unit {
    /// The unit in a run's folder, which must be whole: a loss of power may have torn one that was never begun.
    static func read(_ id: String, in run: RunFolder) throws(RunError) -> Unit {
        let path = run.unit(id).appending(fileName)
        do {
            let unit = try MappedFile(path).withBytes { try Unit(json: Data($0)) }
            if let digest = unit.rowsDigest {
                let rows = run.unit(id).appending(unit.rowsFile)
                guard try Digest.sha256(file: rows) == digest else { throw RunError(.machine, "\(rows) is damaged") }
            }
            if let file = unit.adaptedFile { try SafetensorsFile(run.unit(id).appending(file)).verifyDigest() }
            return unit
        } catch {
            throw RunError(.machine, "the unit \(path) cannot be read", cause: error)
        }
    }

    /// A new unit for some of this one's trials, which go on from a checkpoint of this one or else as this one began.
    ///
    /// Its folder holds all that the runner needs; this unit's folder stays as it is.
    /// - Parameters:
    ///   - width: the lanes of the program that they go on in; nil: of the same.
    ///   - lastEpoch: the epoch to train up to; nil: the same.
    ///   - spent: seconds that the trials' epochs before it have taken, by trial.
    ///   - durable: whether it is on the disk when this returns.
    func renewed(
        as id: String, lanes chosen: some Collection<Int>, of width: Int? = nil,
        checkpoint: (epochs: Int, file: String)?, lastEpoch: Int? = nil, spent: [Int: Double] = [:],
        in run: RunFolder, durable: Bool = true
    ) throws(RunError) -> Unit {
        var unit = self
        unit.id = id
        unit.fit.lastEpoch = lastEpoch ?? fit.lastEpoch
        unit.lanes = chosen.map { lanes[$0] }
        for (index, lane) in unit.lanes.enumerated() {
            unit.lanes[index].timeSpent = spent[lane.trial] ?? lane.timeSpent
        }
        if let width { unit.packing.lanes = width }
        // One lane is the same in either form, and is lowered as vectorized.
        if unit.packing.lanes == 1 { unit.packing.form = Workload.Form.vectorized.rawValue }
        if let checkpoint {
            let file = run.unit(self.id).appending(checkpoint.file).string
            for (index, lane) in chosen.enumerated() {
                unit.lanes[index].start = .checkpoint(file: file, lane: lane)
                unit.lanes[index].adapted = nil
            }
            // What the layers were adapted to is in the checkpoint.
            unit.adaptedFile = nil
            unit.fit.firstEpoch = checkpoint.epochs
        }
        do {
            let rows = try MappedFile(run.unit(self.id).appending(rowsFile))
            try Folder.create(run.unit(id))
            try rows.withBytes { try AtomicFile.write($0, to: run.unit(id).appending(rowsFile), durable: durable) }
            if let name = unit.adaptedFile {
                try MappedFile(run.unit(self.id).appending(name)).withBytes {
                    try AtomicFile.write($0, to: run.unit(id).appending(name), durable: durable)
                }
            }
            try AtomicFile.write(
                Array(try unit.json()), to: run.unit(id).appending(Unit.fileName), durable: durable)
            if durable { try Folder.synchronize(run.units) }
        } catch {
            throw RunError(.machine, "the unit \(run.unit(id)) cannot be written", cause: error)
        }
        return unit
    }

    /// The last checkpoint that the unit left, if it left one.
    func lastCheckpoint(in run: RunFolder) -> (epochs: Int, file: String)? {
        let names = (try? Folder.list(run.unit(id))) ?? []
        let found = names.compactMap { name -> (epochs: Int, file: String)? in
            guard name.hasPrefix("checkpoint-"), name.hasSuffix(".safetensors"),
                let epochs = Int(name.dropFirst("checkpoint-".count).dropLast(".safetensors".count))
            else { return nil }
            return (epochs, name)
        }
        return found.max { $0.epochs < $1.epochs }
    }
}

extension RunnerEvent {
    /// The events in a unit's own record, as far as they are whole.
    static func record(in unit: FilePath) -> [RunnerEvent] {
        guard let data = FileManager.default.contents(atPath: unit.appending("events.ndjson").string) else { return [] }
        return data.split(separator: UInt8(ascii: "\n")).compactMap { try? RunnerEvent(line: Data($0)) }
    }
}
