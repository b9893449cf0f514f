import Units

/// What a runner must be to work on a unit; a device does the kinds that come first before the others.
enum WorkKind: Sendable, Hashable, Comparable {
    /// The verb `runner`, with the device's plugin.
    case native
    /// Python, with Keras on a backend.
    case fit(Unit.FitEngine.Backend)
}

extension Unit {
    /// What works on this unit.
    var kind: WorkKind {
        switch engine {
        case .native: .native
        case .fit(let engine): .fit(engine.backend)
        }
    }
}
