"""The specification: what Halcyon promises, sentence by sentence."""
