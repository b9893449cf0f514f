import PronghornCommands

/// The program `pronghorn`.
@main
struct PronghornTool {
    static func main() async {
        await PronghornCommand.run()
    }
}
