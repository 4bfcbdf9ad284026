"""Tests whose names are sentences that state what Halcyon guarantees."""
