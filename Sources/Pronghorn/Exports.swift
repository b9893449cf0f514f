// What a program that imports `Pronghorn` reads and writes: experiments and their parts, devices, and a run's events.
@_exported public import Devices
@_exported public import Execution
@_exported public import Experiments
@_exported public import SystemPackage
