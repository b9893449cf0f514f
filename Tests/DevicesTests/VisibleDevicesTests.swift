import Testing

@testable import Devices

@Suite("CUDA_VISIBLE_DEVICES, the user's or Slurm's")
struct VisibleDevicesTests {
    let eight = NvidiaSMI.gpus(csv: Recordings.eightGPUs)
    let divided: [Machine.GPU]

    init() {
        var gpus = NvidiaSMI.gpus(csv: Recordings.dividedGPUs)
        let instances = NvidiaSMI.instances(list: Recordings.dividedGPUsList)
        for index in gpus.indices { gpus[index].mig = instances[gpus[index].uuid] ?? [] }
        divided = gpus
    }

    private func numbers(_ value: String?) -> [Int] {
        VisibleDevices.restrict(eight, to: value).visible.map(\.gpu)
    }

    @Test(
        "It restricts and orders the GPUs as CUDA does",
        arguments: [
            ("3,1", [3, 1]), ("0", [0]), (" 2 , 5 ", [2, 5]), ("", []), ("-1", []), ("NoDevFiles", []),
            ("0,-1,2", [0]), ("0,99,2", [0]), ("1,1", [1]), ("GPU-c2c2c2c2-2222-4111-8222-333344445555,0", [2, 0]),
            ("GPU-d3", [3]), ("nonsense", []),
        ])
    func restricts(value: String, expected: [Int]) {
        #expect(numbers(value) == expected)
    }

    @Test("Not set, it leaves every GPU")
    func notSet() {
        #expect(numbers(nil) == Array(0..<8))
    }

    @Test("The beginning of a UUID that two GPUs share names neither")
    func ambiguousPrefix() {
        #expect(numbers("GPU-0").isEmpty)
        #expect(numbers("GPU-06") == [6])
    }

    @Test("An entry that names nothing is reported, for the runs that would silently use fewer GPUs")
    func reportsWrongEntries() {
        let (visible, problem) = VisibleDevices.restrict(eight, to: "0,99")
        #expect(visible.count == 1)
        #expect(problem?.contains("\"99\"") == true)
        #expect(VisibleDevices.restrict(eight, to: "0,1").problem == nil)
        #expect(VisibleDevices.restrict(eight, to: "").problem == nil)
    }

    @Test("An instance is named by its UUID, and only it is used")
    func instance() {
        let value = "MIG-0f6a8b11-7c1d-5b3e-8f10-0a5d7a1c2b3d"
        #expect(VisibleDevices.restrict(divided, to: value).visible.map(\.uuid) == [value])
    }

    @Test("The number of a divided GPU means its first instance, the only one that CUDA would show")
    func numberOfDividedGPU() {
        #expect(
            VisibleDevices.restrict(divided, to: "0").visible.map(\.uuid)
                == ["MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f"])
    }
}
