// PronghornCommands
