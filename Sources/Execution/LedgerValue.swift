import Ledger

// The ledger's own type for a hyperparameter; its module's name is also that of its main type, so that
// `Ledger.ParameterValue` would not find it beside the experiment's type of the same name.
typealias LedgerValue = ParameterValue
