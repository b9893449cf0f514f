public import Experiments

/// A model of layers that are called on tensors, `keras.Model(inputs, outputs)`.
///
/// ```swift
/// let image = Input("image", 28, 28, 1), age = Input("age", 1)
/// let features = Flatten()(Conv2D(8, kernelSize: 3, activation: .relu)(image))
/// let model = Model(inputs: [image, age], outputs: [Dense(1)(Concatenate()([features, age]))])
/// ```
///
/// Weights are drawn in the order in which the layers were called first.
public struct Model: KerasModel {
    let inputs: [Input]
    let outputs: [Tensor]

    /// A model of what is between inputs and outputs.
    public init(inputs: [Input], outputs: [Tensor]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// A model of one input and one output.
    public init(inputs input: Input, outputs output: Tensor) {
        self.init(inputs: [input], outputs: [output])
    }

    public var configuration: ParameterValue {
        let graph = LayerGraph(inputs.map(\.tensor) + outputs)
        func ends(_ tensors: [Tensor]) -> ParameterValue {
            let ends = tensors.map(graph.history)
            return ends.count == 1 ? ends[0] : .list(ends)
        }
        return [
            "module": "keras.src.models.functional", "class_name": "Functional",
            "config": [
                "name": "functional", "trainable": true, "layers": .list(graph.layers),
                "input_layers": ends(inputs.map(\.tensor)), "output_layers": ends(outputs),
            ],
        ]
    }
}

/// The layers and calls that lead to some tensors, named as Keras names layers.
private struct LayerGraph {
    private var calls: [ObjectIdentifier: [LayerCall]] = [:]
    private var identities: [LayerIdentity] = []
    private var names: [ObjectIdentifier: String] = [:]

    init(_ ends: [Tensor]) {
        var seen: Set<ObjectIdentifier> = []
        var waiting = ends.map(\.call)
        while let call = waiting.popLast() {
            guard seen.insert(ObjectIdentifier(call)).inserted else { continue }
            let identity = ObjectIdentifier(call.identity)
            if calls[identity] == nil { identities.append(call.identity) }
            calls[identity, default: []].append(call)
            waiting += call.inputs.flatMap(\.tensors).map(\.call)
        }
        for identity in calls.keys { calls[identity]?.sort { $0.number < $1.number } }
        identities.sort { $0.number < $1.number }
        var counts: [String: Int] = [:]
        for identity in identities {
            let layer = identity.layer.object
            let automatic = KerasNames.snakeCase(layer.className)
            if case .string(let name)? = layer.arguments["name"] {
                names[ObjectIdentifier(identity)] = name
            } else {
                let number = counts[automatic, default: 0]
                counts[automatic] = number + 1
                names[ObjectIdentifier(identity)] = number == 0 ? automatic : "\(automatic)_\(number)"
            }
        }
    }

    /// Each layer with the calls of it, in the order in which they were first called.
    var layers: [ParameterValue] {
        identities.map { identity in
            let name = ParameterValue.string(names[ObjectIdentifier(identity)] ?? "")
            guard case .mapping(var layer) = identity.layer.named(name.description).argument else { return nil }
            layer["name"] = name
            let isInput = identity.layer.object.className == "InputLayer"
            layer["inbound_nodes"] = isInput ? [] : .list((calls[ObjectIdentifier(identity)] ?? []).map(node))
            return .mapping(layer)
        }
    }

    /// Which output of which call of which layer a tensor is: Keras's `keras_history`.
    func history(_ tensor: Tensor) -> ParameterValue {
        let identity = ObjectIdentifier(tensor.call.identity)
        let number = calls[identity]?.firstIndex { $0 === tensor.call } ?? 0
        return [.string(names[identity] ?? ""), .int(number), .int(tensor.index)]
    }

    private func node(_ call: LayerCall) -> ParameterValue {
        let arguments = call.inputs.map { input -> ParameterValue in
            switch input {
            case .tensor(let tensor): reference(tensor)
            case .list(let tensors): .list(tensors.map(reference))
            }
        }
        return ["args": .list(arguments), "kwargs": .mapping(call.arguments)]
    }

    /// Of a tensor that a layer is called on, Keras reads its history and nothing else.
    private func reference(_ tensor: Tensor) -> ParameterValue {
        [
            "class_name": "__keras_tensor__",
            "config": ["shape": [], "dtype": "float32", "keras_history": history(tensor)],
        ]
    }
}

/// How Keras names layers that have no name: `keras.src.utils.naming.to_snake_case`.
enum KerasNames {
    static func snakeCase(_ name: String) -> String {
        let letters = Array(name)
        var text = ""
        for (index, letter) in letters.enumerated() {
            let before = index > 0 ? letters[index - 1] : nil
            let after = index + 1 < letters.count ? letters[index + 1] : nil
            if letter.isUppercase, let before {
                let beginsWord = after.map { $0.isLowercase } ?? false
                if beginsWord || before.isLowercase { text += "_" }
            }
            text += letter.lowercased()
        }
        return text
    }
}
