import Dispatch

/// What `body` makes of each number below `count`, by as many threads as there are cores.
func concurrently<Element: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Element) -> [Element] {
    // Each place is written once, by the one call that has its number, before this returns.
    let places = UnsafeMutablePointer<Element?>.allocate(capacity: count)
    places.initialize(repeating: nil, count: count)
    defer {
        places.deinitialize(count: count)
        places.deallocate()
    }
    nonisolated(unsafe) let target = places
    DispatchQueue.concurrentPerform(iterations: count) { target[$0] = body($0) }
    return (0..<count).compactMap { places[$0] }
}
