public import Devices
public import Experiments
public import SystemPackage

extension Run {
    /// What is asked for.
    public struct Request: Sendable {
        public var experiment: Experiment
        /// The experiment file's text, kept with the results; empty for an experiment made in code.
        public var text: String
        /// The folder that the experiment's paths are relative to.
        public var folder: FilePath
        public var devices: DeviceSelection
        /// The program that has the verb `runner`.
        public var executable: FilePath
        /// The tool's version, for the record.
        public var version: String
        /// A checkpoint is left after the first epoch that ends so many seconds after the last one.
        public var checkpointSeconds: Double
        /// Bytes of a device's memory that data may take; nil: what is usual.
        public var dataMemory: Int?

        public init(
            experiment: Experiment, text: String, folder: FilePath, devices: DeviceSelection, executable: FilePath,
            version: String, checkpointSeconds: Double = 30, dataMemory: Int? = nil
        ) {
            self.experiment = experiment
            self.text = text
            self.folder = folder
            self.devices = devices
            self.executable = executable
            self.version = version
            self.checkpointSeconds = checkpointSeconds
            self.dataMemory = dataMemory
        }
    }
}
