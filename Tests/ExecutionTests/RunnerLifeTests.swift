import Devices
import PythonEnvironment
import SystemPackage
import Testing
import Units

@testable import Execution

@Suite struct RunnerLifeTests {
    func event(_ what: RunnerEvent.What, of unit: String? = "0001") -> RunnerEvent {
        RunnerEvent(number: 0, time: 0, unit: unit, what: what)
    }

    /// A runner that was given unit 0001.
    var training: RunnerLife {
        var life = RunnerLife()
        life.began("0001")
        return life
    }

    /// The same, trained and writing.
    var writing: RunnerLife {
        var life = training
        _ = life.heard(event(.trained(seconds: 1)))
        return life
    }

    @Test("A new runner holds nothing; one that was given a unit holds it")
    func began() {
        #expect(RunnerLife().isIdle)
        #expect(training.training == "0001")
        #expect(!training.isIdle)
    }

    @Test("A device is free for the next unit as soon as one is trained, while its models are being written")
    func trained() {
        var life = training
        #expect(life.heard(event(.trained(seconds: 1))) == .free)
        #expect(life.training == nil)
        #expect(life.writing == ["0001"])
        #expect(!life.isIdle)
    }

    @Test("A unit is finished only when its models are durable")
    func finished() {
        var life = writing
        #expect(life.heard(event(.finished(seconds: 2))) == .finished("0001", wasTraining: false))
        #expect(life.isIdle)
    }

    @Test("Models of one unit are written while the next trains, and either may end first")
    func overlapping() {
        var life = writing
        life.began("0002")
        #expect(life.heard(event(.trained(seconds: 1), of: "0002")) == .free)
        #expect(life.writing == ["0001", "0002"])
        #expect(life.heard(event(.finished(seconds: 2), of: "0002")) == .finished("0002", wasTraining: false))
        #expect(life.heard(event(.finished(seconds: 2))) == .finished("0001", wasTraining: false))
        #expect(life.isIdle)
    }

    @Test("A unit that only compiles is finished without being trained")
    func probe() {
        var life = training
        #expect(life.heard(event(.finished(seconds: 1))) == .finished("0001", wasTraining: true))
        #expect(life.isIdle)
    }

    @Test("A unit that fails while it trains frees its device; one that fails while it is written does not")
    func failed() {
        let failure = RunnerEvent.What.failed(code: "device", message: "gone")
        var life = training
        #expect(
            life.heard(event(failure)) == .failed("0001", code: "device", message: "gone", wasTraining: true))
        #expect(life.isIdle)
        life = writing
        life.began("0002")
        #expect(
            life.heard(event(failure)) == .failed("0001", code: "device", message: "gone", wasTraining: false))
        #expect(life.training == "0002")
    }

    @Test("A unit that was ended early as asked frees its device, and is no failure")
    func stopped() {
        var life = training
        #expect(life.heard(event(.stopped(epochs: 3))) == .stopped("0001", epochs: 3))
        #expect(life.isIdle)
        #expect(life.heard(event(.stopped(epochs: 3))) == .none)
    }

    @Test(
        "A unit whose active lanes go on elsewhere has left its device, and is over when the others' models are durable"
    )
    func narrowed() {
        let word = RunnerEvent.What.narrowed(epochs: 4)
        var life = writing
        life.began("0002")
        #expect(life.heard(event(word)) == .narrowed("0001", epochs: 4, wasTraining: false))
        #expect(life.training == "0002")
        #expect(life.writing.isEmpty)
        // One that says so without having said that it is trained frees its device by it.
        life = training
        #expect(life.heard(event(word)) == .narrowed("0001", epochs: 4, wasTraining: true))
        #expect(life.isIdle)
        #expect(life.heard(event(word)) == .none)
        // Until then its process can still lose it.
        life = writing
        #expect(life.ended() == ["0001"])
    }

    @Test("A failure is told once: what is said of a unit that is not held changes nothing")
    func notHeld() {
        var life = training
        let before = life
        #expect(life.heard(event(.failed(code: "device", message: "gone"), of: "0009")) == .none)
        #expect(life.heard(event(.trained(seconds: 1), of: "0009")) == .none)
        #expect(life.heard(event(.narrowed(epochs: 1), of: "0009")) == .none)
        #expect(life == before)
        var idle = RunnerLife()
        #expect(idle.heard(event(.failed(code: "device", message: "gone"))) == .none)
        #expect(idle.heard(event(.trained(seconds: 1))) == .none)
        #expect(idle.isIdle)
    }

    @Test(
        "What is said on the way changes nothing",
        arguments: [
            .ready(device: "cpu:0", platform: "cpu", memory: nil), .started, .compiling(function: "train"),
            .compiled(
                function: "train", seconds: 1, cached: false,
                memory: .init(arguments: 0, outputs: 0, aliased: 0, temporary: 0)),
            .beat(epoch: 0, step: 1, steps: 2), .epoch(epoch: 0, seconds: 1, lanes: [0], metrics: [:]),
            .saved(trial: 0, file: "models/0000.keras", kind: "final", bytes: 1),
            .checkpoint(epochs: 2, file: "checkpoint-2.safetensors"),
        ] as [RunnerEvent.What])
    func onTheWay(what: RunnerEvent.What) {
        for start in [training, writing] {
            var life = start
            #expect(life.heard(event(what)) == .none)
            #expect(life.heard(event(what, of: nil)) == .none)
            #expect(life == start)
        }
    }

    @Test("A runner that dies loses what it trained and what it had not yet written, and nothing else")
    func died() {
        var life = writing
        life.began("0002")
        _ = life.heard(event(.trained(seconds: 1), of: "0002"))
        life.began("0003")
        _ = life.heard(event(.finished(seconds: 1)))
        #expect(life.ended() == ["0003", "0002"])
        #expect(life.isIdle)
        #expect(life.ended() == [])
    }
}

@Suite struct RunFolderTests {
    let folder = RunFolder("/runs/digits")

    @Test("Up to a thousand models stand in one folder, more in folders of a thousand")
    func models() {
        #expect(folder.model("0042.keras", trial: 42, of: 1000) == "models/0042.keras")
        #expect(folder.model("0042.keras", trial: 42, of: 1001) == "models/000/0042.keras")
        #expect(folder.model("1000.keras", trial: 1000, of: 1001) == "models/001/1000.keras")
        #expect(folder.model("0999.best.keras", trial: 999, of: 5000) == "models/000/0999.best.keras")
        #expect(folder.model("1234567.keras", trial: 1_234_567, of: 2_000_000) == "models/1234/1234567.keras")
    }

    @Test("A device's name is a file's name too")
    func logs() {
        #expect(folder.log(of: "cpu:12").string == "/runs/digits/logs/cpu-12.log")
        #expect(folder.unit("0007").string == "/runs/digits/units/0007")
    }
}

@Suite("What is started as a runner of Model.fit") struct RunnerProgramTests {
    let python = BackendPython(interpreter: "/v/bin/python", environment: ["PATH": "/bin", "KERAS_BACKEND": "jax"])

    func cpu(_ cores: [Int]) -> Device {
        Device(
            name: "cpu:1", kind: .cpu(cores: cores), environment: ["CUDA_VISIBLE_DEVICES": ""], cores: cores,
            memory: nil)
    }

    @Test("Processes that share a CPU device divide its cores, and take turns on them when there are too few")
    func sharedCores() {
        #expect(cpu([4, 5, 6, 7]).shared(by: 1).map(\.name) == ["cpu:1"])
        let places = cpu([4, 5, 6, 7]).shared(by: 2)
        #expect(places.map(\.name) == ["cpu:1.0", "cpu:1.1"])
        #expect(places.map(\.cores) == [[4, 5], [6, 7]])
        #expect(cpu([4]).shared(by: 2).map(\.cores) == [[4], [4]])
    }

    @Test("A process on the CPU stays on its cores with as many threads, and sees no GPU")
    func processors() {
        let program = RunnerProgram.fit(.tensorflow, python, on: cpu([2, 3]), sharers: 1, devices: 2)
        #expect(program.kind == .fit(.tensorflow))
        #expect(program.arguments.suffix(2) == ["--cores", "2,3"])
        #expect(program.environment["KERAS_BACKEND"] == "tensorflow")
        #expect(program.environment["CUDA_VISIBLE_DEVICES"] == "")
        #expect(program.environment["JAX_PLATFORMS"] == "cpu")
        #expect(program.environment["OMP_NUM_THREADS"] == "2")
        #expect(program.environment["TF_NUM_INTRAOP_THREADS"] == "2")
        #expect(program.environment["PATH"] == "/bin")
    }

    @Test("Processes that share a GPU take memory as they need it, and divide the machine's cores")
    func accelerators() {
        let gpu = Device(
            name: "cuda:0", kind: .cuda(uuid: "GPU-1", index: 0), environment: ["CUDA_VISIBLE_DEVICES": "GPU-1"],
            cores: Array(0..<16), memory: nil)
        let alone = RunnerProgram.fit(.jax, python, on: gpu, sharers: 1, devices: 2)
        #expect(alone.environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == nil)
        #expect(alone.environment["OMP_NUM_THREADS"] == "8")
        let shared = RunnerProgram.fit(.jax, python, on: gpu, sharers: 4, devices: 2)
        #expect(shared.environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false")
        #expect(shared.environment["TF_FORCE_GPU_ALLOW_GROWTH"] == "true")
        #expect(shared.environment["CUDA_VISIBLE_DEVICES"] == "GPU-1")
        #expect(shared.environment["JAX_PLATFORMS"] == "cuda,cpu")
        #expect(shared.environment["OMP_NUM_THREADS"] == "2")
        #expect(!shared.arguments.contains("--cores"))
    }
}
