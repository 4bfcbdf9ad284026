"""The tests: what Halcyon guarantees, sentence by sentence."""
