// Three Keras models of scikit-learn's diabetes data, trained in parallel within one script: swift build && swift run OneScript
import Pronghorn

func model(_ units: Int) -> CompiledModel {
    Sequential { Input(10); Dense(units, activation: .relu); Dense(1) }
        .compiled(optimizer: .adam(learningRate: 0.01), loss: .meanSquaredError, metrics: [.meanAbsoluteError])
}

let run = try await Experiment(
    "diabetes", models: ["small": model(8), "medium": model(32), "large": model(128)],
    data: .function("../one-model-per-device/diabetes.py", "load")
).fitted(epochs: 30, validation: .share(0.2)).train(relativeTo: FilePath(#filePath).removingLastComponent())

for try await event in run.events { if case .unitFinished(let device, _, _, _, _) = event { print("\(device): a model") } }
for trial in try await run.results { print(trial.parameters["model"] ?? "", trial.metrics["val_loss"] ?? .nan) }
print("best:", try await run.best("val_loss").model ?? "none")
