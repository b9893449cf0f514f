public import Experiments

/// A model with what it is trained by: Keras's own configuration, `compile_config` included.
public struct CompiledModel: Sendable, Equatable {
    /// What `keras.models.model_from_json` takes.
    public let configuration: ParameterValue

    /// The model from a configuration that holds `compile_config`.
    public init(configuration: ParameterValue) {
        self.configuration = configuration
    }

    /// The configuration as JSON, for a file that `model: {config: FILE.json}` and `keras.models.model_from_json` read.
    public var json: String { configuration.json }

    /// The model as experiments have it.
    public var source: ModelSource { .configuration(ModelConfiguration(.value(configuration))) }
}

extension KerasModel {
    /// The model with what it is trained by, as `Model.compile`.
    ///
    /// `further` are other arguments of `Model.compile`, by Keras's names.
    public func compiled(
        optimizer: Optimizer, loss: Loss, metrics: [Metric] = [], weightedMetrics: [Metric] = [],
        stepsPerExecution: Int? = nil, further: [String: ParameterValue] = [:]
    ) -> CompiledModel {
        var arguments = further
        arguments["loss"] = loss.argument
        if !metrics.isEmpty { arguments["metrics"] = metrics.argument }
        if !weightedMetrics.isEmpty { arguments["weighted_metrics"] = weightedMetrics.argument }
        if let stepsPerExecution { arguments["steps_per_execution"] = .int(stepsPerExecution) }
        return compiled(optimizer, arguments)
    }

    /// The model of several outputs with what each is trained by, by the names of the layers that give them.
    public func compiled(
        optimizer: Optimizer, losses: [String: Loss], lossWeights: [String: Double] = [:],
        metrics: [String: [Metric]] = [:], further: [String: ParameterValue] = [:]
    ) -> CompiledModel {
        var arguments = further
        arguments["loss"] = .mapping(losses.mapValues(\.argument))
        if !lossWeights.isEmpty { arguments["loss_weights"] = .mapping(lossWeights.mapValues(\.argument)) }
        if !metrics.isEmpty { arguments["metrics"] = .mapping(metrics.mapValues(\.argument)) }
        return compiled(optimizer, arguments)
    }

    private func compiled(_ optimizer: Optimizer, _ arguments: [String: ParameterValue]) -> CompiledModel {
        guard case .mapping(var configuration) = configuration else {
            return CompiledModel(configuration: configuration)
        }
        configuration["compile_config"] = .mapping(arguments.merging(["optimizer": optimizer.argument]) { $1 })
        return CompiledModel(configuration: .mapping(configuration))
    }
}
